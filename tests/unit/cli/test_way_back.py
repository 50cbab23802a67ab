"""The command that brings a backup back, as it is printed for a URL with a login."""

import pytest

from pawsctl.cli.confirm import undo


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        ("redis://h/2?socket_timeout=3", "redis://h/2?socket_timeout=3"),
        ("rediss://me:pw@h/2?ssl_ca_certs=/ca.pem", "rediss://me@h:6379/2?ssl_ca_certs=/ca.pem"),
        ("rediss://me@h?ssl_cert_reqs=none", "rediss://h:6379?ssl_cert_reqs=none"),
        (
            "redis+sentinel://h/main?sentinel_username=s&sentinel_password=pw",
            "redis+sentinel://h:26379/main?sentinel_username=s",
        ),
    ],
)
def test_a_url_is_repeated_with_its_tls_and_without_its_passwords(url: str, printed: str) -> None:
    """A lone user may be a password, too; it is spoken of beside."""
    found, login = undo._without_secrets(url)
    assert found == printed
    assert bool(login) == ("pw" in url or "me@" in url)
    assert ("the user of that URL and the password in REDISCLI_AUTH" in login) == ("/me@" in url)
    assert ("its sentinel_password" in login) == ("sentinel_password" in url)
