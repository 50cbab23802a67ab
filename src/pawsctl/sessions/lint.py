"""The check of all sessions against the rules of the bot's contract."""

import time
from collections.abc import Iterator, Sequence

import msgspec

from pawsctl.errors import UsageError
from pawsctl.sessions.contract import model, rules
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.contract.rules import Rule
from pawsctl.sessions.store.reader import SessionReader

# Findings of one rule that are kept for a report; the others are only counted.
EXAMPLES = 50


class LintFinding(msgspec.Struct, frozen=True):
    """A session that breaks a rule, and how."""

    phone: str
    key: str
    rule: str
    message: str


class RuleCount(msgspec.Struct, frozen=True):
    """How often a rule was broken."""

    rule: str
    findings: int


class Note(msgspec.Struct, frozen=True):
    """A remark on a session that breaks no rule; `level` is `warning` or `note`."""

    level: str
    phone: str
    key: str
    rule: str
    message: str


class LintReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of a check: `checked` sessions, of which `broken` break at least one rule.

    `ok` says that all sessions were checked and none is broken. `rules` has the number of findings
    of each rule, `notes` the first findings of each rule whose level is no problem.
    """

    ok: bool
    url: str
    checked: int
    broken: int
    rules: list[RuleCount]
    notes: list[Note] = []


class Lint:
    """One check of all sessions: `findings` yields the problems, then `report` sums them up.

    Memory is bounded: the first EXAMPLES findings of each rule are kept.
    """

    def __init__(self, store: SessionReader, wanted: Sequence[Rule]) -> None:
        self.wanted = wanted
        self.seconds = 0.0
        self.examples: dict[str, list[LintFinding]] = {rule.id: [] for rule in wanted}
        self._store = store
        self._counts = {rule.id: 0 for rule in wanted}
        self._noted = {rule.id: rule.level for rule in wanted if rule.level != "problem"}
        self._checked = self._broken = 0

    def findings(self) -> Iterator[LintFinding]:
        """Check every session and yield its problems, in SCAN's order."""
        begun, now_ms = time.perf_counter(), time.time() * 1000
        space = self._store.keyspace
        using = rules.checks(space)
        for record in self._store.own_records():
            self._checked += 1
            found = rules.judged(record, now_ms, using)
            if not found:
                continue
            wanted = [each for each in found if each.rule in self._counts]
            is_broken = False
            for problem in wanted:
                finding = LintFinding(
                    space.shown_name(record.key),
                    space.shown_key(record.key),
                    problem.rule,
                    model.encodable(space.shown_clause(problem.message)),
                )
                self._count(finding)
                if problem.rule not in self._noted:
                    is_broken = True
                    yield finding
            self._broken += is_broken
        self.seconds = time.perf_counter() - begun

    def _count(self, finding: LintFinding) -> None:
        self._counts[finding.rule] += 1
        if len(self.examples[finding.rule]) < EXAMPLES:
            self.examples[finding.rule].append(finding)

    def report(self) -> LintReport:
        """Return the result so far."""
        counts = [RuleCount(rule, findings) for rule, findings in self._counts.items()]
        return LintReport(
            not self._broken and not self._store.is_partial,
            self._store.connection.target.url,
            self._checked,
            self._broken,
            counts,
            [
                Note(level, each.phone, each.key, rule, each.message)
                for rule, level in self._noted.items()
                for each in self.examples[rule]
            ],
        )


def chosen(keyspace: Keyspace, only: Sequence[str], ignored: Sequence[str]) -> list[Rule]:
    """Return the keyspace's rules to check: `only` these (all if empty), without the `ignored`.

    Raises UsageError for an unknown id, and if no rule is left.
    """
    every = rules.of(keyspace)
    known = [rule.id for rule in every]
    for name in (*only, *ignored):
        if name not in known:
            raise UsageError(f"There is no rule '{name}'.", hint=f"Rules: {', '.join(known)}.")
    left = [rule for rule in every if rule.id in (only or known) and rule.id not in ignored]
    if not left:
        raise UsageError(
            "No rule is left to check.", hint="--ignore takes away what --rule asks for."
        )
    return left
