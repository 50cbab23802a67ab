"""The times that `redis logs --since` accepts."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from pawsctl.cli.redis.logs import moment


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("10m", timedelta(minutes=10)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("45s", timedelta(seconds=45)),
        ("2d", timedelta(days=2)),
    ],
)
def test_a_span_is_counted_back_from_now(text: str, ago: timedelta) -> None:
    """docker does the same."""
    assert abs(datetime.now(UTC) - ago - moment(text)) < timedelta(seconds=5)


def test_a_time_without_zone_is_utc() -> None:
    """Servers log in UTC."""
    assert moment("2026-01-31T12:00:00") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert moment("2026-01-31T12:00:00+02:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "10", "10x", "m", "1h x", "99999999999d"])
def test_anything_else_is_wrong_usage(text: str) -> None:
    """The error has an example of the format."""
    with pytest.raises(typer.BadParameter, match="1h30m"):
        moment(text)
