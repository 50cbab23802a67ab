"""Globs matched by pawsctl as Redis matches them."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pawsctl.connection.scan.glob import matcher
from tests.servers import Server

GLOBS = st.lists(
    st.sampled_from([b"*", b"?", b"[", b"]", b"^", b"-", b"\\", b"a", b"b", b"c", b"\n", b"\xff"]),
    max_size=8,
).map(b"".join)
KEYS = st.lists(
    st.sampled_from([b"a", b"b", b"c", b"-", b"^", b"]", b"\\", b"\n", b"\xff"]),
    min_size=1,
    max_size=5,
).map(b"".join)


@settings(
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(GLOBS, st.lists(KEYS, min_size=1, max_size=8))
@example(b"[a-c]*", [b"b", b"d", b"-"])
@example(b"[^a]", [b"a", b"b", b"^"])
@example(b"[]", [b"]", b"a"])
@example(b"[\xff-*", [b"a", b"*", b"\xff", b"\n"])
@example(b"a\\*", [b"a*", b"ab"])
@example(b"a*", [b"a", b"ab\n", b"ba"])
@example(b"a**", [b"a", b"a*", b"b"])
def test_keys_match_as_they_do_in_redis(server: Server, glob: bytes, keys: list[bytes]) -> None:
    """For every pattern, even those that nobody would write."""
    client = server.client
    client.flushall()
    client.mset(dict.fromkeys(keys, b"1"))
    matches = matcher(glob)
    found = {key for key in keys if matches(key)}
    assert found == set(client.scan_iter(match=glob, count=100))
