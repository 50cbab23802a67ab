"""Facts about a target: whose server it is, how it is shown, and what its URL may say."""

import pytest
from msgspec.structs import replace

from pawsctl.config import switches
from pawsctl.config.redis_url import parse
from pawsctl.config.setting_specs import Setting
from pawsctl.config.target import MOST_DATABASE, Target
from pawsctl.errors import UsageError


@pytest.mark.parametrize(
    ("scheme", "kind", "is_secure"),
    [
        ("redis", "standalone", False),
        ("rediss", "standalone", True),
        ("redis+sentinel", "sentinel", False),
        ("rediss+sentinel", "sentinel", True),
        ("redis-sentinel", "sentinel", False),
        ("rediss-sentinel", "sentinel", True),
        ("redis+cluster", "cluster", False),
        ("rediss+cluster", "cluster", True),
        ("valkeys+sentinel", "sentinel", True),
        ("REDISS", "standalone", True),
    ],
)
def test_a_scheme_says_what_answers_and_whether_over_tls(
    scheme: str, kind: str, is_secure: bool
) -> None:
    """Sentinels are reached over TLS as well."""
    target = parse(f"{scheme}://h/" + ("service" if kind == "sentinel" else ""), origin="a test")
    assert (target.kind, target.tls is not None) == (kind, is_secure)
    assert (target.sentinel_tls is not None) is (is_secure and kind == "sentinel")
    assert parse(target.url, origin="a test") == target


OPTION = "option --url"


@pytest.mark.parametrize(
    ("url", "origin", "is_ours"),
    [
        ("redis://127.0.0.1:6379", "default", True),
        ("redis://localhost:7000", ".env", True),
        ("redis://LOCALHOST", OPTION, True),
        ("redis://127.0.0.1:7000", OPTION, False),
        ("redis://127.0.0.2", ".env", False),
        ("redis://[::1]", ".env", False),
        ("redis://h", ".env", False),
        ("rediss://127.0.0.1", ".env", False),
        ("unix:///run/redis.sock", ".env", False),
        ("redis+cluster://127.0.0.1", ".env", False),
        ("redis+sentinel://127.0.0.1/s", ".env", False),
    ],
)
def test_a_server_may_be_the_projects_own(url: str, origin: str, is_ours: bool) -> None:
    """One that a profile names, or a member of several, never is."""
    target = parse(url, origin=origin)
    assert target.may_be_ours is is_ours
    assert replace(target, profile="p").may_be_ours is False
    assert replace(target, is_member=True).may_be_ours is False


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("redis://LocalHost", True),
        ("redis://127.1.2.3", True),
        ("redis://[::1]", True),
        ("unix:///run/redis.sock", True),
        ("redis://1127.0.0.1", False),
        ("redis://127.0.0", False),
        ("redis://h", False),
        ("redis+cluster://127.0.0.1,h", False),
    ],
)
def test_a_target_is_local_if_all_of_it_is(url: str, is_local: bool) -> None:
    """By its addresses."""
    assert parse(url, origin="a test").is_local is is_local


def test_a_database_is_a_number_that_redis_takes() -> None:
    """2,147,483,647 is the largest; a path of a socket may have one, too."""
    target = parse(f"redis://h/{MOST_DATABASE}", origin="a test")
    assert target.db == 2_147_483_647
    with pytest.raises(UsageError, match="database"):
        parse("redis://h/2147483648", origin="a test")
    assert target.with_db(3).url == "redis://h:6379/3"
    socket = parse("unix:///s?db=2", origin="a test")
    assert (socket.db, socket.url, socket.with_db(0).url) == (2, "unix:///s?db=2", "unix:///s")
    assert (socket.host, target.host) == ("/s", "h")


@pytest.mark.parametrize(
    ("url", "username", "is_shown"),
    [
        ("redis://user:pw@h", "user", True),
        ("redis://user@h", "user", False),
        ("redis://user@h", "other", True),
        ("redis://h", "user", True),
        ("redis://:pw@h", "user", True),
    ],
)
def test_a_user_that_stood_alone_stays_hidden(url: str, username: str, is_shown: bool) -> None:
    """With a password from elsewhere as well: it may be one itself."""
    target = parse(url, origin="a test").with_login(username, "pw2")
    assert (target.username, target.password) == (username, "pw2")
    assert (username in target.url) is is_shown


@pytest.mark.parametrize(
    ("parameter", "is_named"),
    [
        ("a" * 30 + "=1", True),
        ("a" * 31 + "=1", False),
        ("a-b=1", False),
        ("ab=x@y", False),
    ],
)
def test_an_unknown_parameter_may_be_the_rest_of_a_password(parameter: str, is_named: bool) -> None:
    """Then it is not repeated."""
    with pytest.raises(UsageError) as caught:
        parse(f"redis://h?{parameter}", origin="a test")
    name = parameter.partition("=")[0]
    assert (name in caught.value.message) is is_named
    assert ("%3F" in caught.value.hint) is not is_named


@pytest.mark.parametrize(
    ("port", "is_port"),
    [("1", True), ("65535", True), ("0", False), ("65536", False), ("x", False)],
)
def test_a_port_is_within_bounds(port: str, is_port: bool) -> None:
    """Else the URL is none."""
    try:
        target: Target | None = parse(f"redis://h:{port}", origin="a test")
    except UsageError:
        target = None
    assert (target is not None) is is_port


def test_a_control_character_in_a_name_is_refused() -> None:
    """Also in a certificate's, of the server's or of the Sentinels' connection."""
    for url in (
        "redis://a%0ab:c@h", "unix:///a%00b", "rediss://h?ssl_ca_certs=a%1fb",
        "redis+sentinel://h/s%0a", "rediss+sentinel://h/s?ssl_keyfile=a%0ab",
    ):  # fmt: skip
        with pytest.raises(UsageError, match="control character"):
            parse(url, origin="a test")


def test_the_first_source_that_says_anything_but_no_counts() -> None:
    """If all say no, the strongest one is named."""
    said = [Setting("S", value, origin) for value, origin in (("0", "a"), ("1", "b"), ("yes", "c"))]
    assert switches.tightest(said).origin == "b"
    assert switches.tightest(said[:1] * 2).origin == "a"
    nos = [Setting("S", value, value) for value in ("OFF", "", "0", "false", "no")]
    assert switches.tightest(nos).origin == "OFF"
    assert [switches.is_on(each) for each in (*said, *nos)] == [False, True, True, *[False] * 5]
    with pytest.raises(UsageError, match=r"S \(x\) is 'maybe'"):
        switches.is_on(Setting("S", "maybe", "x"))
