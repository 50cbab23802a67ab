"""Redis URLs taken apart: every form, and what is wrong with those that are none."""

import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl import target
from pawsctl.errors import UsageError
from pawsctl.target import Address, Target, Tls

PASSWORDS = st.text(min_size=1, max_size=30)
HOSTS = st.sampled_from(["localhost", "10.0.0.7", "redis.example.com", "[::1]", "[fe80::1%25eth0]"])
PORTS = st.integers(1, 65_535)


def parse(url: str) -> Target:
    """A URL from a test."""
    return target.parse(url, origin="a test")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://", Target("standalone", (Address("127.0.0.1", 6379),), "a test")),
        ("redis://h", Target("standalone", (Address("h", 6379),), "a test")),
        ("redis://h:1/2", Target("standalone", (Address("h", 1),), "a test", db=2)),
        ("redis://h?db=3", Target("standalone", (Address("h", 6379),), "a test", db=3)),
        (
            "redis://u:p%40@[::1]:7",
            Target("standalone", (Address("::1", 7),), "a test", username="u", password="p@"),
        ),
        ("rediss://h", Target("standalone", (Address("h", 6379),), "a test", tls=Tls())),
        (
            "rediss://h?ssl_ca_certs=/ca.pem&ssl_check_hostname=false",
            Target(
                "standalone",
                (Address("h", 6379),),
                "a test",
                tls=Tls(ca_certs="/ca.pem", check_hostname=False),
            ),
        ),
        ("unix:///run/r.sock?db=1", Target("standalone", (), "a test", path="/run/r.sock", db=1)),
        ("unix://:pw@/r.sock", Target("standalone", (), "a test", path="/r.sock", password="pw")),
        (
            "redis+sentinel://u:p@a,b:1/svc/4?sentinel_username=su&sentinel_password=sp",
            Target(
                "sentinel",
                (Address("a", 26379), Address("b", 1)),
                "a test",
                username="u",
                password="p",
                db=4,
                service="svc",
                sentinel_username="su",
                sentinel_password="sp",
            ),
        ),
        (
            "redis-sentinel://a,b?sentinelMasterId=svc",
            Target("sentinel", (Address("a", 26379), Address("b", 26379)), "a test", service="svc"),
        ),
        (
            "redis+cluster://a:1,[::1]:2",
            Target("cluster", (Address("a", 1), Address("::1", 2)), "a test"),
        ),
        ("rediss+cluster://a", Target("cluster", (Address("a", 6379),), "a test", tls=Tls())),
    ],
)
def test_every_form(url: str, expected: Target) -> None:
    """Standalone, TLS, Unix socket, Sentinel in both spellings, cluster."""
    assert parse(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("h:6379", "http://h", "redis:h", "redis://h:port", "redis://h:0", "redis://h:65536"),
        *("redis://a,b", "redis://h/x", "redis://h/-1", "redis://h#1", "unix://", "unix://h/s"),
        *("redis+sentinel://h", "redis+sentinel:///svc/x", "redis+cluster://h/1"),
        *(
            "redis+cluster://h?db=1",
            "redis://h/1?db=2",
            "redis://h?ssl_ca_certs=x",
            "rediss://h?ssl_check_hostname=?",
        ),
        *("redis+cluster://h?sentinel_password=x", "redis://a b"),
    ],
)
def test_what_is_no_redis_url(url: str) -> None:
    """It is named by its origin, with what to write instead."""
    with pytest.raises(UsageError, match="a test") as caught:
        parse(url)
    assert caught.value.hint


def test_an_unknown_parameter_is_told_with_those_there_are() -> None:
    """A slip of the pen must not be without effect."""
    with pytest.raises(UsageError, match="'ssl_ca_cert'") as caught:
        parse("rediss://h?ssl_ca_cert=x")
    assert "ssl_ca_certs" in caught.value.hint


@given(PASSWORDS, st.text(string.ascii_letters, max_size=8), HOSTS, PORTS)
def test_what_is_percent_encoded_comes_back(password: str, user: str, host: str, port: int) -> None:
    """Any password and user, on any kind of host; the URL that is shown has no password."""
    found = parse(f"redis://{user}:{quote(password, safe='')}@{host}:{port}")
    assert (found.username, found.password) == (user or None, password)
    assert found.addresses == (Address(host.strip("[]"), port),)
    shown = parse(found.url)
    assert (shown.username, shown.password) == (user or None, None)
    assert (shown.addresses, shown.db) == (found.addresses, found.db)


@given(
    st.sampled_from(
        ["Zq", "", "1/", "1?", "1?db=", "1?nothing=", "1#", "1,", "[1", "1]", "@", ":"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=24),
    st.sampled_from(["redis", "rediss", "redis+sentinel", "redis+cluster", "unix", "http"]),
    st.sampled_from(["", "/0", "/svc", "/svc/1", "/x", "?db=1", "?nothing=1"]),
)
def test_an_unescaped_password_is_never_shown(
    begin: str, password: str, scheme: str, rest: str
) -> None:
    """However it breaks the URL: neither in the message, nor in the hint, nor in what is shown."""
    secret = f"{begin}{password}Zq"
    try:
        found = parse(f"{scheme}://user:{secret}@host:6379{rest}")
    except UsageError as error:
        shown = error.message + error.hint
    else:
        # Whether or not it was taken apart as it was meant.
        shown = found.url
    assert "Zq" not in shown


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("redis://localhost", True),
        ("redis://LOCALHOST", True),
        ("redis://127.1.2.3", True),
        ("redis://[::1]", True),
        ("unix:///s", True),
        ("redis://127.evil.example", False),
        ("redis://localhost.example", False),
        ("redis+cluster://localhost,10.0.0.1", False),
    ],
)
def test_what_is_on_this_machine(url: str, is_local: bool) -> None:
    """A development password goes nowhere else."""
    assert parse(url).is_local is is_local


def test_another_database() -> None:
    """Asked for beside the URL; a cluster has one only."""
    assert parse("redis://h/1").with_db(5).db == 5
    assert parse("redis+cluster://h").with_db(0).db == 0
    with pytest.raises(UsageError, match="only database 0"):
        parse("redis+cluster://h").with_db(1)
