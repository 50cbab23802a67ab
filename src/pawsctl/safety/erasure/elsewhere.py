"""Evidence that copies on this machine are of a production Redis."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from pawsctl.config import redis_url
from pawsctl.config.profiles.profile import Profile
from pawsctl.errors import UsageError
from pawsctl.safety import evidence, places


def evidence_of(
    urls: Iterable[str], profiles: Callable[[], Mapping[str, Profile]]
) -> Iterator[str]:
    """Yield clauses on those of the Redis, by their URLs, that may be production's."""
    for url in urls:
        try:
            target = redis_url.parse(url, origin="the copies themselves")
        except UsageError:
            yield f"copies are from {url}, and nobody knows where that is"
            continue
        for clause in evidence.of(places.marked(target, profiles), evidence.of_place(target)):
            yield f"copies are from {url}: {clause}"
