"""A URL that holds its password, as `config --show-url` prints it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pawsctl.config import redis_url, url_with_password

TEXTS = st.one_of(st.none(), st.text(min_size=1).filter(lambda text: text.isprintable()))
PLACES = [
    "redis://127.0.0.1:6379",
    "rediss://h:6380/3?ssl_ca_certs=/a b/ca.pem&ssl_check_hostname=false",
    "rediss://h?ssl_cert_reqs=none&ssl_certfile=/c&ssl_keyfile=/k",
    "unix:///run/a b/x%3Fy.sock?db=2",
    "redis+sentinel://[::1]:1,h2/my%2Fname/2?sentinel_username=u&sentinel_password=p%26%3D",
    "rediss+sentinel://h/s?sentinel_ssl=false&ssl_ca_certs=/x",
    "redis+sentinel://h/s?sentinel_ssl=true&ssl_ca_certs=/x",
    "redis+cluster://h1,h2:7001/5",
]


@pytest.mark.parametrize("place", PLACES)
@given(username=TEXTS, password=TEXTS)
def test_it_is_taken_apart_into_the_same(
    place: str, username: str | None, password: str | None
) -> None:
    """Whatever the password contains, the printed URL alone is enough to connect."""
    target = replace(redis_url.parse(place, origin="x"), username=username, password=password)
    assert redis_url.parse(url_with_password.of(target), origin="x") == target
