"""Faults in tool calls and their results, for which the bot's model refuses a session. Pure.

The model takes a tool call only if its results follow at once. Results follow at once if nothing
but results stands between them and the call.
"""

from collections.abc import Sequence

import msgspec

from pawsctl.sessions.contract import decode
from pawsctl.sessions.contract.model import TOOL_RESULTS, Message, Problem


class _Calls(msgspec.Struct, gc=False):
    """The tool calls of one message: ids of those without a result so far, and of the others.

    `is_excused` says that there are results that can't be read: that is a finding of its own.
    """

    number: int
    open: list[str] = []
    answered: list[str] = []
    is_excused: bool = False


def faults(messages: Sequence[Message], *, left_open: str) -> list[Problem]:
    """Return the faults of the tool calls and results of a conversation.

    Results at its beginning are `headless-result`. `left_open` says in a clause why calls at its
    end stay open; '' if the bot may be at work on them.
    """
    walk: _Walk | None = None
    # The calls of the last message that is no tool result.
    calls: _Calls | None = None
    number = 0
    for message in messages:
        number += 1
        content = message.content
        if type(content) is str:
            if content.startswith(TOOL_RESULTS) and message.role == "user":
                ids = decode.answered(content)
                if calls is not None and ids and ids == calls.open and len(set(ids)) == len(ids):
                    # The usual case.
                    calls.answered += ids
                    calls.open = []
                else:
                    walk = walk or _Walk(messages)
                    walk.answers(number, ids, calls)
                continue
            if message.role == "tool":
                walk = walk or _Walk(messages)
                walk.answers(number, [message.tool_use_id], calls)
                continue
        if calls is not None:
            walk = walk or _Walk(messages)
            walk.past.append(calls)
            calls = None
        if type(content) is list:
            for block in content:
                if block.type == "tool_use":
                    calls = calls or _Calls(number)
                    calls.open.append(block.id)
    if calls is not None:
        walk = walk or _Walk(messages)
        walk.past.append(calls)
    if walk is None:
        return []
    walk.end(calls, left_open)
    return walk.found


class _Walk:
    """The state of a walk over the messages: faults, calls and results so far."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.found: list[Problem] = []
        # Calls that were followed by another message than results.
        self.past: list[_Calls] = []
        # The ids of results that answer no known call.
        self._strange: list[str] = []
        self._messages = messages

    def answers(self, number: int, ids: Sequence[str] | None, calls: _Calls | None) -> None:
        """Match the results of a message to calls; `ids` are theirs, None if they can't be read.

        `calls` are the calls that only results have followed so far.
        """
        if not ids:
            if ids is None:
                wrong = "has tool results that are no JSON list of objects"
                self._add("tool-result", f"message {number} {wrong}")
            else:
                self._add("empty-results", f"message {number} is an empty list of tool results")
            if calls is not None:
                calls.is_excused = True
            return
        for place, each in enumerate(ids):
            # Two calls may have one id, but an id has one result.
            if each in ids[:place]:
                self._add("repeated-result", f"message {number} has a result for the second time")
            elif calls is not None and each in calls.open:
                calls.open.remove(each)
                calls.answered.append(each)
            elif (late := self._late(each)) is not None:
                late.open.remove(each)
                late.answered.append(each)
                where = f"message {late.number} comes only in message {number}"
                self._add("late-result", f"the result of a tool call in {where}")
            elif self._is_answered(each, calls):
                self._add("repeated-result", f"message {number} has a result for the second time")
            else:
                self._strange.append(each)
                if all(message.is_tool_results for message in self._messages[:number]):
                    what = f"the call of the result in message {number} was trimmed away"
                    self._add("headless-result", f"{what}; old versions of the bot fail on that")
                else:
                    self._add("tool-result", f"message {number} answers no tool call before it")

    def end(self, last: _Calls | None, left_open: str) -> None:
        """Report the calls without a result; `last` are the calls at the end."""
        for calls in self.past:
            left, count = len(calls.open), len(calls.open) + len(calls.answered)
            if not left or calls.is_excused:
                continue
            what = "the tool call" if count == 1 else f"{left} of {count} tool calls"
            where = f"{what} in message {calls.number}"
            if left < count:
                self._add("missing-result", f"{where} got no result")
            elif calls is not last:
                self._add("unanswered-call", f"no result follows {where}")
            elif left_open:
                self._add("open-call", f"{where} is still open, {left_open}")

    def _late(self, call: str) -> _Calls | None:
        return next((calls for calls in self.past if call in calls.open), None)

    def _is_answered(self, call: str, calls: _Calls | None) -> bool:
        answered = [*self.past, *([calls] if calls is not None else ())]
        return call in self._strange or any(call in each.answered for each in answered)

    def _add(self, rule: str, message: str) -> None:
        problem = Problem(rule, message)
        if problem not in self.found:
            self.found.append(problem)
