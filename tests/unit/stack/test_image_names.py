"""The names of images, and the registries that they come from."""

import pytest

from pawsctl.errors import UsageError
from pawsctl.stack.engine.docker.images import reference


@pytest.mark.parametrize(
    ("image", "is_name", "host"),
    [
        ("redis", True, "docker.io"),
        ("redis:7.2-alpine", True, "docker.io"),
        ("library/redis", True, "docker.io"),
        ("registry.example.com/redis:7", True, "registry.example.com"),
        ("localhost/redis", True, "localhost"),
        ("h:5000/a/redis@sha256:" + "a" * 32, True, "h:5000"),
        ("Host/redis", True, "Host"),
        ("redis:" + "a" * 128, True, "docker.io"),
        ("redis:" + "a" * 129, False, "docker.io"),
        ("a" * 255, True, "docker.io"),
        ("a" * 256, False, "docker.io"),
        ("Redis", False, "docker.io"),
        ("redis:", False, None),
        ("a..b", False, "docker.io"),
        ("", False, "docker.io"),
        ("redis@sha256:" + "a" * 31, False, None),
    ],
)
def test_an_image_has_a_name_and_a_registry(image: str, is_name: bool, host: str | None) -> None:
    """By Docker's rules."""
    if is_name:
        reference.check(image)
    else:
        with pytest.raises(UsageError) as caught:
            reference.check(image)
        assert ("has capital letters" in caught.value.message) is (image == "Redis")
    if host:
        assert reference.registry_of(image) == host
