"""Data that an operation would lose: found before it begins, and the question to confirm it."""

from pawsctl.errors import Conflict
from pawsctl.stack import status
from pawsctl.stack.engine.protocol import Engine
from pawsctl.stack.project.project import Project


def check(here: Project, engine: Engine) -> None:
    """Raise Conflict if `down` without `volumes` would lose data."""
    for each in engine.astray():
        raise Conflict(
            f"The data of {each.name} lies {each.where}, where it would be lost, or found by no "
            "later 'redis up'. Nothing was removed.",
            hint=f"Run 'pawsctl redis up{here.hint}' first, which takes it over or says "
            "what keeps it from that; or delete it with "
            f"'pawsctl redis down{here.hint} --volumes'.",
        )


def data(engine: Engine) -> list[str]:
    """Return the names of everything that holds data and would be deleted."""
    things = engine.belongings(volumes=True)
    names = [each.name for each in things if each.kind in ("volume", "data")]
    return names + [each.name for each in engine.astray() if each.volume is None]


def question(here: Project, engine: Engine, *, is_saved: bool = False) -> str:
    """Return the question to ask before all data is deleted."""
    keys = status.key_count(here, engine.status())
    count = "its keys unknown, since it does not answer"
    if keys:
        count = f"{keys.total} key{'' if keys.total == 1 else 's'}"
    names = data(engine)
    where = f" in {' and '.join(names)}" if names else ""
    saved = "Its sessions are exported first, and nothing else is."
    copy = saved if is_saved else "Nothing keeps a copy."
    return f"Delete all data of this project's Redis{where} ({count})? {copy}"
