"""The result structs of each command, and their JSON keys."""

from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from pawsctl.config.profiles.summary import ProfileItem, ProfileShown
from pawsctl.config.setting_specs import Setting
from pawsctl.safety.audit.changes import Recorded
from pawsctl.safety.backups.catalog import Backup, BackupSession
from pawsctl.safety.backups.purge import Purged
from pawsctl.safety.backups.restore import Restored
from pawsctl.safety.erasure.erase import Erased
from pawsctl.server.health import Health
from pawsctl.server.memory import LimitSet, Memory
from pawsctl.sessions.archive.export import Exported
from pawsctl.sessions.archive.restore import Imported
from pawsctl.sessions.edit.edit_session import Edited
from pawsctl.sessions.edit.flush import Flushed, FlushPlan
from pawsctl.sessions.edit.seed import Seeded
from pawsctl.sessions.edit.touch_delete import Deleted, DeletedOrLeft
from pawsctl.sessions.lint import LintFinding, LintReport
from pawsctl.sessions.query.rows import Item, Stored, TimeLeft
from pawsctl.sessions.repair.repair import Repair
from pawsctl.sessions.smoke.run_flow import FlowReport
from pawsctl.sessions.stats.expiry import Expiry
from pawsctl.sessions.stats.overview import Overview
from pawsctl.sessions.watch.outages import ConnectionEvent
from pawsctl.sessions.watch.tail import MessageEvent
from pawsctl.sessions.watch.watch import SessionEvent
from pawsctl.stack.engine.protocol import LogLine
from pawsctl.stack.lifecycle import Dev, Stop, Up
from pawsctl.stack.remove import Down, Reset
from pawsctl.stack.status import StackStatus
from pawsctl.stack.topology_status import TopologyStatus
from pawsctl.web.http.request_log import Entry
from pawsctl.workflows.check_profile import ProfileCheck
from pawsctl.workflows.copy import Copied
from pawsctl.workflows.doctor.finding import Diagnosis
from pawsctl.workflows.failover import Drill
from pawsctl.workflows.verify import Verified

WIDTH = 88

ARRAY = "an array"
LINES = "a value a line"
PHONES = "one object for one PHONE, an array for several"


class Findings(msgspec.Struct):
    """The list that `session lint` prints before its report."""

    findings: list[LintFinding]


class Url(msgspec.Struct):
    """The result of `config --show-url`."""

    url: str


class Result(NamedTuple):
    """A command's JSON: the fields of these structs, in this form, when called this way."""

    types: tuple[type, ...]
    form: str = ""
    when: str = ""


def _one(found: type, form: str = "", when: str = "") -> tuple[Result, ...]:
    return (Result((found,), form, when),)


RESULTS: dict[str, tuple[Result, ...]] = {
    "redis up": _one(Up),
    "redis dev": _one(Dev),
    "redis down": _one(Down),
    "redis start": _one(Up),
    "redis stop": _one(Stop),
    "redis restart": _one(Up),
    "redis reset": _one(Reset),
    "redis failover": _one(Drill),
    "redis status": _one(StackStatus) + _one(TopologyStatus, when="with `--topology`"),
    "redis logs": _one(LogLine, ARRAY),
    "redis cli": (),
    "redis memory": _one(Memory),
    "redis maxmemory": _one(LimitSet),
    "session list": _one(Item, ARRAY),
    "session get": _one(Stored, PHONES),
    "session ttl": _one(TimeLeft, PHONES, "with PHONE") + _one(Expiry, when="without PHONE"),
    "session touch": _one(TimeLeft, PHONES),
    "session repair": _one(Repair, "an array; one object for one PHONE"),
    "session edit": _one(Edited),
    "session delete": _one(Deleted, PHONES)
    + _one(DeletedOrLeft, PHONES, "where a session changed meanwhile and was left"),
    "session erase": _one(Erased),
    "session flush": _one(Flushed) + _one(FlushPlan, when="with `--dry-run`"),
    "session export": _one(Exported),
    "session import": _one(Imported),
    "session copy": _one(Copied),
    "session verify": _one(Verified),
    "session seed": _one(Seeded),
    "session stats": _one(Overview),
    "session lint": (Result((Findings, LintReport)),),
    "session watch": _one(SessionEvent, LINES, "for each event")
    + _one(MessageEvent, LINES, "with PHONE, for each message")
    + _one(ConnectionEvent, LINES, "when Redis goes away, and when it is back"),
    "audit list": _one(Recorded, ARRAY),
    "backup list": _one(Backup, ARRAY),
    "backup show": _one(BackupSession, ARRAY),
    "backup restore": _one(Restored),
    "backup purge": _one(Purged),
    "test-session": _one(FlowReport),
    "health": _one(Health),
    "serve": _one(Entry, LINES, "on stderr, for each request and event"),
    "doctor": _one(Diagnosis),
    "profile list": _one(ProfileItem, ARRAY),
    "profile show": _one(ProfileShown),
    "profile check": _one(ProfileCheck, ARRAY),
    "config": _one(Setting, ARRAY) + _one(Url, when="with `--show-url`"),
}


def fields(types: tuple[type, ...]) -> list[inspect.Field]:
    """Return the fields of these structs, in order."""
    found: list[inspect.Field] = []
    for each in types:
        info = inspect.type_info(each)
        assert isinstance(info, inspect.StructType)
        found += info.fields
    return found


def may_be_left_out(struct: type, field: inspect.Field) -> bool:
    """Return whether JSON leaves the field out while it has its default."""
    config: Any = struct
    return bool(config.__struct_config__.omit_defaults) and not field.required


def notation(types: tuple[type, ...], indent: str = "") -> str:
    """Return a struct's keys and their types as TypeScript writes them."""
    keys = []
    for struct in types:
        for field in fields((struct,)):
            name = field.encode_name + ("?" if may_be_left_out(struct, field) else "")
            keys.append(f"{name}: {_type(field.type, indent + '  ')}")
    return _braced(keys, indent)


def _braced(keys: list[str], indent: str) -> str:
    line = "{ " + ", ".join(keys) + " }"
    if "\n" not in line and len(indent) + len(line) <= WIDTH:
        return line
    return "{\n" + "".join(f"{indent}  {each}\n" for each in keys) + indent + "}"


_NAMES = {
    inspect.StrType: "string",
    inspect.BoolType: "boolean",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.NoneType: "null",
    inspect.DateTimeType: "time",
    inspect.AnyType: "any",
    inspect.RawType: "any",
}


def _type(found: inspect.Type, indent: str) -> str:
    match found:
        case inspect.StructType():
            text = notation((found.cls,), indent)
        case inspect.ListType() | inspect.VarTupleType():
            text = f"{_type(found.item_type, indent)}[]"
        case inspect.DictType():
            key, value = (_type(each, indent) for each in (found.key_type, found.value_type))
            text = f"{{ [name: {key}]: {value} }}"
        case inspect.UnionType():
            text = " | ".join(_type(each, indent) for each in found.types)
        case inspect.LiteralType():
            text = " | ".join(f'"{each}"' for each in found.values)
        case _:
            text = _NAMES[type(found)]
    return text
