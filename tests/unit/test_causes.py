"""The chain of causes of an error."""

import ast
from pathlib import Path

import pawsctl
from pawsctl.connection.base import uncertain
from pawsctl.errors import RedisUnreachable, causes

SOURCES = sorted(Path(pawsctl.__file__).parent.rglob("*.py"))


def test_a_ring_of_causes_is_walked_once() -> None:
    """It does not matter how the ring came about."""
    first, second = ValueError("a"), KeyError("b")
    first.__cause__, second.__cause__ = second, first
    assert list(causes(first)) == [first, second]
    own = ValueError("c")
    own.__cause__ = own
    assert list(causes(own)) == [own]


def test_the_cause_may_be_an_argument() -> None:
    """Some libraries pass the original error as an argument."""
    root = ConnectionRefusedError()
    assert list(causes(ValueError("x", root)))[-1] is root


def test_what_is_in_doubt_is_an_error_of_its_own() -> None:
    """If nothing is in doubt there is none: no error may be raised from itself."""
    lost = RedisUnreachable("It is gone.", hint="Look.")
    assert uncertain(lost, [("GET", "k")]) is None
    found = uncertain(lost, [("SETEX", "k", 1, "v")])
    assert found is not None
    assert found is not lost
    assert "SETEX" in found.message


def test_only_one_place_walks_over_causes() -> None:
    """It is the one that handles rings."""
    walkers = {
        path.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.While)
        and any(
            isinstance(each, ast.Attribute) and each.attr == "__cause__" for each in ast.walk(node)
        )
    }
    assert walkers == {"errors.py"}
