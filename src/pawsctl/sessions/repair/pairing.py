"""Tool calls brought together with their results, each call with exactly one. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from pawsctl.sessions.repair import history
from pawsctl.sessions.repair.readable import Changes, Item, Result


class Calls(msgspec.Struct, gc=False, eq=False):
    """The tool calls of a message: those without a result so far, and the ids of the others.

    `moved` are results that stood elsewhere, each with the message in which it stood.
    """

    item: Item
    open: list[str]
    answered: list[str] = []
    moved: list[tuple[Item, Result]] = []


def paired(items: Sequence[Item], leading: int, changes: Changes) -> list[Item]:
    """Return the messages with each tool call followed at once by its one result.

    A result that came late is moved, one that came twice or answers no call is removed, and a call
    without a result gets an error as its result. The first `leading` messages are results whose
    calls were trimmed away; they stay, since the bot leaves them out by itself.
    """
    groups = {each.item.number: each for each in _matched(items, leading, changes)}
    out: list[Item] = []
    following: list[Item] = []
    current: Calls | None = None
    for item in items:
        if item.results is None:
            out += _completed(current, following, changes, is_last=False)
            out.append(item)
            current, following = groups.get(item.number), []
        elif item.results:
            following.append(item)
    return [*out, *_completed(current, following, changes, is_last=True)]


def _matched(items: Sequence[Item], leading: int, changes: Changes) -> list[Calls]:
    """Give each result to its call; leave in each message the results that stay there."""
    groups: list[Calls] = []
    current: Calls | None = None
    # The groups in which calls of an id are open, earliest first; ids that have had a result.
    waiting: dict[str, list[Calls]] = {}
    seen: set[str] = set()
    for item in items:
        if item.results is None:
            current = Calls(item, list(item.calls)) if item.calls else None
            if current is not None:
                groups.append(current)
                for call in current.open:
                    waiting.setdefault(call, []).append(current)
            continue
        kept = []
        for result in item.results:
            call = result.call
            if current is not None and call in current.open:
                _answer(current, call, waiting)
                kept.append(result)
            elif waiting.get(call):
                late = waiting[call][0]
                _answer(late, call, waiting)
                late.moved.append((item, result))
                begin = late.item.number
                what = f"has the result of a call in message {begin}, and it moves there"
                changes.note(item.number, "late-result", what, begin=begin)
            elif call in seen:
                what = "has a result for the second time, and loses it"
                changes.note(item.number, "repeated-result", what)
            elif item.number <= leading:
                kept.append(result)
            else:
                what = "has a result that answers no call before it, and loses it"
                changes.note(item.number, "tool-result", what)
                continue
            seen.add(call)
        if item.role == "user" and kept and len(kept) < item.stored:
            item.text = history.with_results(item.text, [each.text for each in kept])
        item.results = kept
    return groups


def _answer(calls: Calls, call: str, waiting: dict[str, list[Calls]]) -> None:
    calls.open.remove(call)
    calls.answered.append(call)
    waiting[call].remove(calls)


def _completed(
    calls: Calls | None, following: list[Item], changes: Changes, *, is_last: bool
) -> Iterator[Item]:
    """Yield the results that stand beside the calls, with those that were moved or missing."""
    if calls is None:
        yield from following
        return
    _note_open(calls, changes, is_last=is_last)
    sources = [item for item, _ in calls.moved if item.role == "user"]
    added = [result for item, result in calls.moved if item.role == "user"]
    added += [Result(call, history.error_result(call)) for call in calls.open]
    lists = [each for each in following if each.role == "user"]
    if added and lists:
        texts = [each.text for each in (*(lists[-1].results or ()), *added)]
        lists[-1].text = history.with_results(lists[-1].text, texts)
    yield from following
    yield from (item for item, _ in calls.moved if item.role == "tool")
    if added and not lists:
        yield _carrier(sources, [each.text for each in added])


def _carrier(sources: Sequence[Item], texts: Sequence[str]) -> Item:
    """Return a message with results of these texts.

    It is the first of the `sources` that has lost all of its own, so that its other fields stay.
    """
    source = next((each for each in sources if each.number and not each.results), None)
    if source is None:
        return Item(0, "user", history.new_results(texts), results=[])
    carrier = Item(source.number, "user", source.text, results=[])
    if len(texts) != source.stored or sources.count(source) != source.stored:
        carrier.text = history.with_results(source.text, texts)
    # Another call may not get it too.
    source.number = 0
    return carrier


def _note_open(calls: Calls, changes: Changes, *, is_last: bool) -> None:
    if not calls.open:
        return
    rule = "missing-result" if calls.answered else "open-call" if is_last else "unanswered-call"
    left = len(calls.open)
    what = "the tool call" if left == 1 else f"{left} tool calls"
    changes.note(calls.item.number, rule, f"gets an error as the result of {what} without one")
