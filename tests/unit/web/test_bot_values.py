"""Values and times as the bot's JavaScript has them; the expected ones are Node's."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from pawsctl.web.bot import bot_date, bot_json, session_summary
from pawsctl.web.bot.session_summary import NotSummedUp

DEEP = "[" * 4_000 + "]" * 4_000


@pytest.fixture
def three_hours_behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the clock here be three hours behind UTC."""
    monkeypatch.setenv("TZ", "Etc/GMT+3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "1970-01-01T00:00:00.000Z"),
        (True, "1970-01-01T00:00:00.001Z"),
        (False, "1970-01-01T00:00:00.000Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (1.9, "1970-01-01T00:00:00.001Z"),
        (-1.9, "1969-12-31T23:59:59.999Z"),
        (8640000000000000, "+275760-09-13T00:00:00.000Z"),
        (8640000000000001, None),
        (-8640000000000000, "-271821-04-20T00:00:00.000Z"),
        (-8640000000000001, None),
        ("", None),
        ("x", None),
        ("2024", "2024-01-01T00:00:00.000Z"),
        ("2024-02", "2024-02-01T00:00:00.000Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000Z"),
        ("2023-02-29", "2023-03-01T00:00:00.000Z"),
        ("2023-02-31", "2023-03-03T00:00:00.000Z"),
        ("2024-02-32", None),
        ("2024-00-01", None),
        ("2024-13-01", None),
        ("2024-01-00", None),
        ("2024-02-29T12:34Z", "2024-02-29T12:34:00.000Z"),
        ("2024-02-29T12:34:56Z", "2024-02-29T12:34:56.000Z"),
        ("2024-02-29T12:34:56.7Z", "2024-02-29T12:34:56.700Z"),
        ("2024-02-29T12:34:56.7891Z", "2024-02-29T12:34:56.789Z"),
        ("2024-02-29t12:34z", "2024-02-29T12:34:00.000Z"),
        ("2024-02-29T12:34:56+03:00", "2024-02-29T09:34:56.000Z"),
        ("2024-02-29T12:34:56-0330", "2024-02-29T16:04:56.000Z"),
        ("2024-02-29T24:00Z", "2024-03-01T00:00:00.000Z"),
        ("2024-02-29T24:00:00.001Z", None),
        ("2024-02-29T24:01Z", None),
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z"),
        ("2024-02-29T23:60Z", None),
        ("2024-02-29T23:59:60Z", None),
        ("2024-02-29T25:00Z", None),
        ("+275760-09-13", "+275760-09-13T00:00:00.000Z"),
        ("+275760-09-14", None),
        ("-271821-04-20", "-271821-04-20T00:00:00.000Z"),
        ("-271821-04-19", None),
        ("-000000", None),
        ("-000001-12-31", "-000001-12-31T00:00:00.000Z"),
        ("+000000", "0000-01-01T00:00:00.000Z"),
        ("0000-01-01", "0000-01-01T00:00:00.000Z"),
        ("0000-02-29", "0000-02-29T00:00:00.000Z"),
        ("0001-03-01", "0001-03-01T00:00:00.000Z"),
        ("9999-12-31", "9999-12-31T00:00:00.000Z"),
        ("+010000-01-01", "+010000-01-01T00:00:00.000Z"),
        ("1900-02-28", "1900-02-28T00:00:00.000Z"),
        ("1900-03-01", "1900-03-01T00:00:00.000Z"),
        ("1899-12-31", "1899-12-31T00:00:00.000Z"),
        ("2000-02-29", "2000-02-29T00:00:00.000Z"),
        ("2000-03-01", "2000-03-01T00:00:00.000Z"),
        ("2100-03-01", "2100-03-01T00:00:00.000Z"),
        ("2400-02-29", "2400-02-29T00:00:00.000Z"),
        ("1600-12-31", "1600-12-31T00:00:00.000Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ("1970-01-01", "1970-01-01T00:00:00.000Z"),
        ("2024-02-29T12:34", "2024-02-29T15:34:00.000Z"),
        ("2024/2/29", "2024-02-29T03:00:00.000Z"),
        ("2024/02/29 01:02", "2024-02-29T04:02:00.000Z"),
        ("2/29/2024", "2024-02-29T03:00:00.000Z"),
        ("2/29/2024 1:02 PM", "2024-02-29T16:02:00.000Z"),
        ("2/29/2024 12:02 AM", "2024-02-29T03:02:00.000Z"),
        ("2/29/2024 12:02 PM", "2024-02-29T15:02:00.000Z"),
        ("2/29/2024 13:02 PM", None),
        ("2/29/2024 0:02 AM", "2024-02-29T03:02:00.000Z"),
        ("29 Feb 2024", "2024-02-29T03:00:00.000Z"),
        ("Feb 29 2024", "2024-02-29T03:00:00.000Z"),
        ("Feb 29, 2024", "2024-02-29T03:00:00.000Z"),
        ("Thu, 29 Feb 2024 01:02:03 GMT", "2024-02-29T01:02:03.000Z"),
        ("Thu Feb 29 2024 01:02:03 GMT+0200 (EET)", "2024-02-28T23:02:03.000Z"),
        ("1 Dec 2024 23:59:59.5", "2024-12-02T02:59:59.500Z"),
        ("1 Jan 2024 01:02:03 +01:30", "2023-12-31T23:32:03.000Z"),
        ("1/31/2024 24:00", "2024-02-01T03:00:00.000Z"),
        ("1 Xyz 2024", None),
        (["2001-01-01"], "2001-01-01T00:00:00.000Z"),
        ([], None),
        ({}, None),
        (["2001", "x"], None),
        ("2/29/2024 0:02 PM", "2024-02-29T15:02:00.000Z"),
        ("2/29/2024 13:02 AM", None),
    ],
)
@pytest.mark.usefixtures("three_hours_behind")
def test_a_time_is_the_one_that_javascript_reads(value: Any, shown: str | None) -> None:
    """Dates alone are in UTC, other texts in the zone that is here."""
    assert bot_date.iso_text(value) == shown


def test_every_end_of_a_month_has_its_date() -> None:
    """Of four hundred years, after which all repeats: as a number, and read from a text."""
    last = date(1599, 12, 31)
    while (first := last + timedelta(days=1)) <= date(2000, 12, 1):
        last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        for day in (first, last):
            milliseconds = (day - date(1970, 1, 1)).days * 86_400_000
            shown = f"{day.isoformat()}T00:00:00.000Z"
            assert bot_date.iso_text(milliseconds) == bot_date.iso_text(day.isoformat()) == shown
            assert bot_date.iso_text(milliseconds + 86_399_999) == shown.replace(
                "00:00:00.000", "23:59:59.999"
            )


@pytest.mark.parametrize(
    ("text", "written", "shown"),
    [
        ("1", "1", "1"),
        ("-1", "-1", "-1"),
        ("999999999999999", "999999999999999", "999999999999999"),
        ("-999999999999999", "-999999999999999", "-999999999999999"),
        ("9999999999999999", "10000000000000000", "10000000000000000"),
        ("12345678901234567890", "12345678901234567000", "12345678901234567000"),
        ("1e21", "1e+21", "1e+21"),
        ("1e20", "100000000000000000000", "100000000000000000000"),
        ("123456789012345678901", "123456789012345680000", "123456789012345680000"),
        ("-1e21", "-1e+21", "-1e+21"),
        ("1e-6", "0.000001", "0.000001"),
        ("1e-7", "1e-7", "1e-7"),
        ("0.000001", "0.000001", "0.000001"),
        ("0.0000015", "0.0000015", "0.0000015"),
        ("1.5", "1.5", "1.5"),
        ("-0", "0", "0"),
        ("-0.0", "0", "0"),
        ("1e400", "null", "Infinity"),
        ("-1e400", "null", "-Infinity"),
        ("1.0", "1", "1"),
        ("100e-1", "10", "10"),
        ("5e-324", "5e-324", "5e-324"),
        ("1e22", "1e+22", "1e+22"),
        ("0.1e1", "1", "1"),
        ("1.7976931348623157e308", "1.7976931348623157e+308", "1.7976931348623157e+308"),
    ],
)
def test_a_number_is_written_as_javascript_does(text: str, written: str, shown: str) -> None:
    """In JSON, and as a text."""
    value = bot_json.parse(text)
    assert bot_json.as_text(value) == shown
    # Python's encoder writes an exponent in its own way, which means the same.
    assert bot_json.parse(bot_json.dump(value).decode()) == bot_json.parse(written)


@pytest.mark.parametrize(
    ("value", "is_truthy", "shown"),
    [
        (None, False, "null"),
        (False, False, "false"),
        (True, True, "true"),
        (0, False, "0"),
        ("", False, ""),
        ("x", True, "x"),
        ([], True, ""),
        ({}, True, "[object Object]"),
        ([None, 1, ["a", None], {}], True, ",1,a,,[object Object]"),
    ],
)
def test_other_values_are_texts_and_true_as_in_javascript(
    value: Any, is_truthy: bool, shown: str
) -> None:
    """Empty lists and objects are true."""
    assert bot_json.is_truthy(value) is is_truthy
    assert bot_json.as_text(value) == shown


def test_infinite_numbers_become_null_at_any_depth() -> None:
    """All else stays as it is."""
    value = bot_json.parse('{"a":[1e400,{"b":-1e400,"c":[1.5]}],"d":"x","e":null}')
    assert bot_json.dump(value) == b'{"a": [null, {"b": null, "c": [1.5]}], "d": "x", "e": null}'
    assert bot_json.dump(bot_json.parse("1e400")) == b"null"
    assert bot_json.dump({"a": [1]}) == b'{"a":[1]}'


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        ("[]", []),
        ('[{"role":"user","content":"x"}]', [{"role": "user", "type": "text"}]),
        ('[{"content":"x"}]', [{"type": "text"}]),
        ('[{"role":"assistant"},[]]', [{"role": "assistant", "type": "tool"}, {"type": "tool"}]),
        (
            '[{"role":"assistant","content":[{"type":"text"},{"type":"tool_use"},5,{}]}]',
            [{"role": "assistant", "type": "text,tool_use,,"}],
        ),
    ],
)
def test_a_session_is_summed_up(value: str, messages: list[Any]) -> None:
    """Its status is left out where there is none."""
    summary = {
        "messageCount": len(messages),
        "updatedAt": "1970-01-01T00:00:00.000Z",
        "messages": messages,
    }
    rest = f'"messages":{value},"updatedAt":null}}'
    assert session_summary.summary(b"{" + rest.encode()) == summary
    assert session_summary.summary(b'{"status":5,' + rest.encode()) == {"status": 5, **summary}


def _with_message(message: str) -> str:
    return f'{{"messages":[{message}],"updatedAt":1}}'


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("5", "the stored value is no object"),
        ("[]", "the stored value is no object"),
        ("{}", "its messages are no list"),
        ('{"messages":{}}', "its messages are no list"),
        ('{"messages":[]}', "its updatedAt is no time"),
        ('{"messages":[],"updatedAt":"x"}', "its updatedAt is no time"),
        (_with_message("[],5"), "message 2 is no object"),
        (
            _with_message('{"role":"assistant","content":"x"}'),
            "the content of message 1 is no list of blocks",
        ),
        (
            _with_message('{"role":"assistant","content":[{},null]}'),
            "a block of message 1 is null",
        ),
        (
            _with_message(f'{{"role":"assistant","content":[{{"type":{DEEP}}}]}}'),
            "a block's type in message 1 is too deep",
        ),
    ],
)
def test_where_the_bots_code_fails_it_is_said_why(value: str, why: str) -> None:
    """Nothing is summed up then."""
    with pytest.raises(NotSummedUp) as caught:
        session_summary.summary(value.encode())
    assert str(caught.value) == why


@pytest.mark.parametrize("value", ["", "{", "0", "null", '""', "false", "NaN"])
def test_where_the_bot_finds_no_session_there_is_none(value: str) -> None:
    """A value that is no JSON, or false in JavaScript."""
    assert session_summary.summary(value.encode()) is None
