"""URLs as they are pasted, with what stood around them."""

import pytest

from pawsctl.config.pasted_url import url_in


@pytest.mark.parametrize(
    ("pasted", "url"),
    [
        ("redis://h", "redis://h"),
        (" 'redis://h'; ", "redis://h"),
        ("\"'redis://h'\"", "redis://h"),
        ("“redis://h”", "redis://h"),
        ("<redis://h>", "redis://h"),
        ("'redis://h\"", "'redis://h\""),
        ('"', '"'),
        ('""', ""),
        ("", ""),
        ("REDIS_URL=redis://h", "redis://h"),
        ("export REDIS_URL='redis://h'", "redis://h"),
        ("REDIS_URL: redis://h", "redis://h"),
        ("$env:REDIS_URL = 'redis://h'", "redis://h"),
        ("redis-cli -u redis://h", "redis://h"),
        ("/usr/bin/valkey-cli --uri 'redis://h'", "redis://h"),
        ("h:6379", "redis://h:6379"),
        ("user:pw@h:6379/2", "redis://user:pw@h:6379/2"),
        ("localhost", "redis://localhost"),
        ("10.0.0.1", "redis://10.0.0.1"),
        ("[::1]:6379", "redis://[::1]:6379"),
        ("/run/redis.sock", "unix:///run/redis.sock"),
        ("unix:/run/unix:/redis.sock", "unix:///run/unix:/redis.sock"),
        ("h", "h"),
    ],
)
def test_the_url_is_found(pasted: str, url: str) -> None:
    """A text that is none stays as it is."""
    assert url_in(pasted) == url


@pytest.mark.parametrize(
    "pasted",
    ["redis-cli -h h", "redis-cli ping", "redis-cli -u", "redis-cli -u a b", "redis-cli -u 'a"],
)
def test_another_command_line_is_refused(pasted: str) -> None:
    """Its options may say where the server is."""
    with pytest.raises(ValueError, match="Give the URL alone"):
        url_in(pasted)
