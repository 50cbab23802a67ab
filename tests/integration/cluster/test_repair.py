"""Sessions of a cluster are repaired by their own primaries, wherever these are meanwhile."""

from pawsctl.config.redis_url import parse
from pawsctl.connection import Timeouts, connect
from pawsctl.connection.cluster.slots import slot_of
from pawsctl.sessions.repair import repair
from pawsctl.sessions.repair.repair import How
from pawsctl.sessions.store.store import SessionStore
from tests.clusters import Cluster
from tests.conftest import SAMPLES

KILLED = (SAMPLES / "stuck" / "killed-in-a-tool.json").read_bytes()


def test_a_slot_that_moves_between_the_look_and_the_repair_is_followed(movable: Cluster) -> None:
    """Each session is repaired once, and its TTL ends when it did before."""
    first, second, _ = movable.primaries
    with SessionStore(connect(parse(movable.url, origin="a test"), Timeouts())) as store:
        keys = [b"wh:session:+%d" % number for number in range(1, 13)]
        for key in keys:
            store.connection.call("SET", key, KILLED, "PX", 9_876_543)
        plans = repair.planned_for_all(store, How(), lambda _count: None)
        assert len(plans) == len(keys)
        movable_slots = set(movable.slots_of(0))
        moved = next(slot_of(key) for key in keys if slot_of(key) in movable_slots)
        movable.move_slot(moved, first, second)
        # Afterwards: MIGRATE itself may add a millisecond.
        before = store.connection.pipeline([("PEXPIRETIME", key) for key in keys])
        done = repair.repair(store, plans)
        assert {each.state for each in done} == {"repaired"}
        assert store.connection.pipeline([("PEXPIRETIME", key) for key in keys]) == before
        assert repair.planned_for_all(store, How(), lambda _count: None) == []
