"""Places that a profile calls production's, under whatever name or URL they are reached."""

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from pawsctl.config.profiles.profile import Profile
from pawsctl.config.target import Address, Target, is_loopback
from pawsctl.errors import UsageError


def marked(
    target: Target,
    profiles: Callable[[], Mapping[str, Profile]],
    addresses: Iterable[Address] = (),
) -> Target:
    """Return the target with a clause for each profile that says production and is at its place.

    `addresses` are those of its servers beside the URL's own; the database does not matter. Where
    `profiles` can't be read, that nobody can tell is a clause too.
    """
    found = _clauses(target, profiles, addresses)
    return replace(target, production=tuple(dict.fromkeys((*target.production, *found))))


def is_productions(target: Target, profiles: Callable[[], Mapping[str, Profile]]) -> bool:
    """Return whether the URL of a target is the place of a production profile, or may be it."""
    return bool(_clauses(target, profiles, ()))


def _clauses(
    target: Target, profiles: Callable[[], Mapping[str, Profile]], addresses: Iterable[Address]
) -> list[str]:
    here = {*map(_spelt, target.addresses), *map(_spelt, addresses)}
    found = []
    try:
        for profile in profiles().values():
            if not profile.production or profile.name == target.profile:
                continue
            if _is_at(profile.place(), target, here):
                found.append(f"it is at the place of {profile.production}, which says production")
    except UsageError as error:
        why = error.message.rstrip(".")
        found.append(f"whether it is the place of a production profile can't be told ({why})")
    return found


def is_same(place: Target, target: Target, addresses: Iterable[Address]) -> bool:
    """Return whether two targets are one database; `addresses` are those of `target`'s servers."""
    here = {*map(_spelt, target.addresses), *map(_spelt, addresses)}
    return place.db == target.db and _is_at(place, target, here)


def _is_at(place: Target, target: Target, here: set[Address]) -> bool:
    if place.path is not None or target.path is not None:
        return place.path == target.path
    # The same Sentinels watch over several services.
    if place.service and target.service and place.service != target.service:
        return False
    return not here.isdisjoint(map(_spelt, place.addresses))


def _spelt(address: Address) -> Address:
    """Return an address in the one spelling that is compared."""
    host = "localhost" if is_loopback(address.host) else address.host.lower().rstrip(".")
    return Address(host, address.port)
