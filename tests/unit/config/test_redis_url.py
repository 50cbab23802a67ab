"""Redis URLs parsed: every form, and the errors for invalid ones."""

import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.config import redis_url
from pawsctl.config.target import Address, Target, Tls
from pawsctl.errors import UsageError

PASSWORDS = st.text(min_size=1, max_size=30)
HOSTS = st.sampled_from(["localhost", "10.0.0.7", "redis.example.com", "[::1]", "[fe80::1%25eth0]"])
PORTS = st.integers(1, 65_535)


def parse(url: str) -> Target:
    """Parse a URL that comes from a test."""
    return redis_url.parse(url, origin="a test")


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
        *("http://h", "redis:h", "h", "", "redis://h:port", "redis://h:0", "redis://h:65536"),
        *("redis://a,b", "redis://h/x", "redis://h/-1", "redis://h#1", "unix://", "unix://h/s"),
        *("redis+sentinel://h", "redis+sentinel:///svc/x"),
        *(
            "redis://h/1?db=2",
            "redis://h?ssl_ca_certs=x",
            "rediss://h?ssl_check_hostname=?",
        ),
        *("redis+cluster://h?sentinel_password=x", "redis://a b"),
    ],
)
def test_what_is_no_redis_url(url: str) -> None:
    """The error names its origin, and the correct form."""
    with pytest.raises(UsageError, match="a test") as caught:
        parse(url)
    assert caught.value.hint


def test_a_name_alone_is_not_shown() -> None:
    """redis-cli reads it as the password, redis-py as the user."""
    assert parse("redis://Zq@h").username == "Zq"
    assert parse("redis://Zq@h").url == "redis://h:6379"
    assert parse("redis://user:@h").url == "redis://h:6379"
    assert parse("redis://user:pw@h").url == "redis://user@h:6379"


def test_an_unknown_parameter_is_told_with_those_there_are() -> None:
    """A misspelt parameter must not be ignored."""
    with pytest.raises(UsageError, match="'ssl_ca_cert'") as caught:
        parse("rediss://h?ssl_ca_cert=x")
    assert "ssl_ca_certs" in caught.value.hint


@given(PASSWORDS, st.text(string.ascii_letters, max_size=8), HOSTS, PORTS)
def test_what_is_percent_encoded_comes_back(password: str, user: str, host: str, port: int) -> None:
    """Any password and user, on any kind of host; the displayed URL has no password."""
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
    """However it breaks the URL, no message, hint or displayed URL contains it."""
    secret = f"{begin}{password}Zq"
    try:
        found = parse(f"{scheme}://user:{secret}@host:6379{rest}")
    except UsageError as error:
        shown = error.message + error.hint
    else:
        # Whether or not it was parsed as intended.
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
    """A development password is sent nowhere else."""
    assert parse(url).is_local is is_local


def test_another_database() -> None:
    """It is given beside the URL; the server decides whether it exists, in a cluster, too."""
    assert parse("redis://h/1").with_db(5).db == 5
    assert parse("redis+cluster://h/2").with_db(0).db == 0
    assert parse("redis+cluster://h/2").url == "redis+cluster://h:6379/2"


def there(*addresses: Address, **about: object) -> Target:
    """Return the target of a single server, with these addresses."""
    return Target("standalone", addresses or (Address("h", 6379),), "a test", **about)  # type: ignore[arg-type]


def named(service: str, **about: object) -> Target:
    """Return the target of a Sentinel's service."""
    addresses = (Address("a", 26379),)
    return Target("sentinel", addresses, "a test", service=service, **about)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ('"redis://h"', there()),
        (" 'redis://h' \n", there()),
        ("“redis://h”", there()),
        ("<redis://h>", there()),
        ("\ufeffredis://h\xa0", there()),
        ("REDIS_URL=redis://h", there()),
        ("export REDIS_URL='redis://h';", there()),
        ("redis-cli -u redis://:pw@h:6379/0", there(password="pw")),
        ("/usr/bin/valkey-cli --uri 'redis://h'", there()),
        ("REDIS://h", there()),
        ("Rediss://h", there(tls=Tls())),
        ("valkey://h", there()),
        ("valkeys://h", there(tls=Tls())),
        ("tls://h", there(tls=Tls())),
        ("tcp://h", there()),
        ("redis-socket:///s?database=2", Target("standalone", (), "a test", path="/s", db=2)),
        ("redis+socket:///s?virtual_host=1", Target("standalone", (), "a test", path="/s", db=1)),
        ("localhost:6379", there(Address("localhost", 6379))),
        ("redis:6379", there(Address("redis", 6379))),
        ("10.0.0.1:7/3", there(Address("10.0.0.1", 7), db=3)),
        ("[::1]:7", there(Address("::1", 7))),
        (":pw@h:6379", there(password="pw")),
        (":7", there(Address("127.0.0.1", 7))),
        ("localhost", there(Address("localhost", 6379))),
        ("REDIS_URL: redis://h", there()),
        ("redis://h\u200b", there()),
        ("/run/r.sock", Target("standalone", (), "a test", path="/run/r.sock")),
        ("unix:/run/r.sock", Target("standalone", (), "a test", path="/run/r.sock")),
        ("redis+unix:///s?pass=pw", Target("standalone", (), "a test", path="/s", password="pw")),
        ("tcp://h?auth=pw", there(password="pw")),
        ("redis-cluster://h,", Target("cluster", (Address("h", 6379),), "a test")),
        (
            "redis+cluster://:pw@a:1,redis+cluster://:pw@b:2",
            Target("cluster", (Address("a", 1), Address("b", 2)), "a test", password="pw"),
        ),
        ("redis-sentinel://a/3#svc", named("svc", db=3)),
        ("redis-sentinel://a#svc", named("svc")),
        ("sentinel://a:26379/2?master_name=svc", named("svc", db=2)),
        ("redis+sentinel://a/svc/2?service=svc", named("svc", db=2)),
        ("redis://:pw@h:6379/0?", there(password="pw")),
        ("redis://h:6379/", there()),
        ("redis://h?", there()),
        ("redis://h?username=u&password=p%26", there(username="u", password="p&")),
        ("redis://h?ssl=true", there(tls=Tls())),
        ("redis://h?ssl=False", there()),
        ("redis://h?tls=0", there()),
        ("rediss://h?ssl_cert_reqs=required", there(tls=Tls())),
        ("rediss://h?ssl_cert_reqs=CERT_REQUIRED", there(tls=Tls())),
        ("rediss://h?ssl_cert_reqs=optional", there(tls=Tls())),
        ("rediss://h?ssl_cert_reqs=none", there(tls=Tls(check_hostname=False, verify=False))),
        ("rediss://h?ssl_cert_reqs=CERT_NONE", there(tls=Tls(check_hostname=False, verify=False))),
        (
            "rediss://h?ssl_cert_reqs=ssl.CERT_NONE&ssl_check_hostname=False",
            there(tls=Tls(check_hostname=False, verify=False)),
        ),
        (
            "redis://h?health_check_interval=10&socket_timeout=5&db=1",
            there(db=1, unused=("health_check_interval", "socket_timeout")),
        ),
        (
            "sentinel://:pw@a:1;sentinel://:pw@b:2?master_name=svc",
            Target(
                "sentinel",
                (Address("a", 1), Address("b", 2)),
                "a test",
                password="pw",
                service="svc",
            ),
        ),
        (
            "redis+sentinel://a/svc?sentinel_ssl=true&ssl_ca_certs=/ca",
            Target(
                "sentinel",
                (Address("a", 26379),),
                "a test",
                service="svc",
                sentinel_tls=Tls(ca_certs="/ca"),
            ),
        ),
        (
            "rediss+sentinel://a/svc?sentinel_ssl=false",
            Target("sentinel", (Address("a", 26379),), "a test", service="svc", tls=Tls()),
        ),
        (
            "rediss+sentinel://a/svc",
            Target(
                "sentinel",
                (Address("a", 26379),),
                "a test",
                service="svc",
                tls=Tls(),
                sentinel_tls=Tls(),
            ),
        ),
    ],
)
def test_urls_as_people_have_them(url: str, expected: Target) -> None:
    """From shells, manuals and other programs: accepted if only one meaning is possible."""
    assert parse(url) == expected


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("redis-cli -h h -a secretZq", "redis://[user:password@]host:port/db"),
        ("redis-cli -u redis://h --tls", "rediss:// for --tls"),
        ("https://eu1.upstash.io", "redis:// or rediss://"),
        ("h.windows.net:6380,password=secretZq=,ssl=True", "rediss://:PASSWORD@host:6380"),
        ("rediss://h?ssl=false", "redis://"),
        ("rediss://h?ssl_cert_reqs=maybe", "required, optional or none"),
        ("rediss://h?ssl_cert_reqs=none&ssl_check_hostname=true", "Leave one out"),
        ("redis://h?ssl_cert_reqs=none", "rediss"),
        ("redis://:secretZq@h?password=another", "Known"),
        ("redis+sentinel://h/s?sentinel_ssl=perhaps", "true or false"),
        ("rediss://h?ssl_ca_certs=%00", "Leave it out"),
        ("rediss://h?ssl_certfile=a%00b", "Leave it out"),
        ("unix:///run/%00.sock", "Leave it out"),
        ("redis://us%0Aer:x@h", "Leave it out"),
        ("redis+sentinel://h/s%00", "Leave it out"),
        ("redis://a..b", "host:port"),
        ("redis://.", "host:port"),
        ("redis://" + "a" * 64, "host:port"),
        ("redis://h\x00", "host:port"),
        ("redis://[::1", "host:port"),
        ("redis://h;", "host:port"),
        ("redis://h%20", "host:port"),
        ("redis://a\u200bb", "host:port"),
        ("redis:///run/redis.sock", "unix:///run/redis/redis.sock"),
        ("redis://:secretZq@h/0;redis://:secretZq@i/0", "Name one"),
        ("redis://h,password=secretZq", "rediss://:PASSWORD@host:6380"),
        ("redis-sentinel://:secret#Zq@h", "%23"),
        ("redis-sentinel://h/svc?sentinel_password=secret#Zq", "%23"),
        ("redis+sentinel://h/0", "mymaster"),
        ("redis+sentinel://h/one?service=two", "Leave one of them out"),
        ("$REDIS_URL", "put in the value"),
        ("${REDIS_URL}", "put in the value"),
        ("%REDIS_URL%", "put in the value"),
        ("redis://${HOST}:6379", "put in the value"),
        ("redis://u:secretZq@$HOST:$PORT/0", "put in the value"),
        ("redis://{{ host }}:6379", "put in the value"),
        ("redis://<host>:6379", "put in the value"),
        ("redis://h:6379/${DB}", "put in the value"),
    ],
)
def test_what_is_not_understood_names_the_way(url: str, hint: str) -> None:
    """The error shows no part of a password."""
    with pytest.raises(UsageError) as caught:
        parse(url)
    assert hint in caught.value.hint
    assert "Zq" not in caught.value.message + caught.value.hint
