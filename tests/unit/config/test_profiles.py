"""Profiles: what a pawsctl.toml may say, whose word counts, and which line is wrong."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.config.profiles import password_command, profile, toml_text
from pawsctl.config.profiles.files import ProfilesFile
from pawsctl.errors import UsageError


def parsed(text: str, *, is_own: bool = True) -> dict[str, dict[str, toml_text.Entry]]:
    """Parse the text of a file."""
    return toml_text.profiles(text, name="pawsctl.toml", is_own=is_own)


HEAD = '[profiles.a]\nurl = "redis://a"\n\n[profiles.prod]\n'


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (HEAD + 'url = "redis://:hunter2@h"', 5, "holds a password"),
        (HEAD + 'url = "redis://h?password=hunter2"', 5, "holds a password"),
        (
            HEAD + 'url = "redis+sentinel://h/s?sentinel_username=u&sentinel_password=hunter2"',
            5,
            "holds a password",
        ),
        (HEAD + 'url = "redis://h"\npassword = "hunter2"', 6, "holds a password"),
        (HEAD + 'url = "redis://h"\n"redis_auth" = "hunter2"', 6, "holds a password"),
        ('[profiles]\nprod.url = "redis://:hunter2@h"', 2, "holds a password"),
        ('profiles = { prod = { url = "redis://:hunter2@h" } }', 1, "holds a password"),
        ('[profiles.prod]\n# url\nurl = "x"', 3, "is not a Redis URL"),
        (HEAD + "production = 1", 5, "production can't be used"),
        (HEAD + 'read_only = "yes"', 5, "read_only can't be used"),
        (HEAD + 'url = ""', 5, "url can't be used"),
        (HEAD + "password_command = [1]", 5, "password_command can't be used"),
        (HEAD + 'colour = "red"', 5, "has 'colour', which a profile does not have"),
        ('url = "redis://h"', 1, "has 'url', which is not known"),
        ('[profiles."a b"]\nurl = "redis://h"', 1, "is no profile"),
        ("profiles = 1", 1, "is no table"),
        (
            HEAD + 'password_file = "x"\npassword_command = "y"',
            6,
            "the profile prod has a password_file and a password_command.",
        ),
        # A key whose line can't be found is where its profile begins, or in the first line.
        (HEAD + '"\\u0063olour" = "red"', 4, "has 'colour'"),
        ('\n"\\u0075rl" = "redis://h"', 1, "has 'url'"),
        (HEAD + "url = redis", 5, "Invalid value (at line 5"),
        (HEAD + "sentinel_password_command = 1", 5, "sentinel_password_command can't be used"),
    ],
)
def test_a_line_that_is_wrong_is_named(text: str, line: int, what: str) -> None:
    """The message never quotes a password."""
    with pytest.raises(UsageError) as caught:
        parsed(text)
    said = f"{caught.value.message} {caught.value.hint}"
    assert what in said
    assert f"pawsctl.toml:{line}" in said or f"line {line}," in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "line",
    [
        'password_command = "true"',
        'password_file = "x"',
        'sentinel_password_file = "x"',
        'sentinel_password_command = "true"',
        'ssl_ca_certs = "x"',
        'ssl_certfile = "x"',
        'ssl_keyfile = "x"',
        'url = "rediss://h?ssl_certfile=x&ssl_keyfile=y"',
        'url = "rediss+sentinel://h/s?ssl_ca_certs=x"',
    ],
)
def test_what_a_repository_brings_along_runs_no_command_and_reads_no_file(line: str) -> None:
    """The same line counts in the user's own file."""
    text = f"[profiles.prod]\n{line}"
    with pytest.raises(UsageError, match=r"pawsctl.toml:2: .* counts only in the pawsctl.toml of"):
        parsed(text, is_own=False)
    assert parsed(text)


@given(
    st.text(
        st.sampled_from('[]{}=".,#\n\t\\ 019-:_abeflnoprstux')
        | st.characters(exclude_categories=["Cs"]),
        max_size=60,
    ),
    st.sampled_from(
        ("", "[profiles.x]\n", "[profiles.x]\nurl = ", "profiles.x.", "[[profiles]]\n")
    ),
)
def test_any_text_is_parsed_or_refused_in_a_sentence(text: str, head: str) -> None:
    """Nothing else is raised."""
    with suppress(UsageError):
        parsed(head + text)


@pytest.mark.parametrize(
    "text", ["x = " + "[" * 5_000, "x = " + "1" * 5_000, "[profiles.x]\nurl=\0"]
)
def test_so_are_depth_and_length(text: str) -> None:
    """Python gives up on these in other ways."""
    with pytest.raises(UsageError):
        parsed(text)


def test_a_command_runs_once_a_minute_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Afterwards it is asked again: the password may have changed."""
    command = "sh -c 'echo >> ran; wc -l < ran'"
    assert password_command.run(command, "a test", tmp_path).strip() == "1"
    assert password_command.run(command, "a test", tmp_path).strip() == "1"
    monkeypatch.setattr(password_command, "_kept", {})
    monkeypatch.setattr(password_command, "_KEPT_SECONDS", 0.0)
    assert password_command.run(command, "a test", tmp_path).strip() == "2"
    assert password_command.run(command, "a test", tmp_path).strip() == "3"


def test_sentinels_have_a_password_of_their_own(tmp_path: Path) -> None:
    """It is no other's."""
    (tmp_path / "redis").write_text("one\n")
    (tmp_path / "sentinel").write_text("two\n")
    text = '[profiles.x]\nurl = "redis+sentinel://app@h/paws"\npassword_file = "redis"\n'
    text += 'sentinel_password_file = "sentinel"\n'
    file = ProfilesFile(tmp_path / "pawsctl.toml", is_own=True, profiles=parsed(text))
    target = profile.every([file])["x"].target()
    assert (target.username, target.password, target.sentinel_password) == ("app", "one", "two")


def test_a_project_can_tighten_a_profile_of_the_user_and_nothing_else() -> None:
    """Its URL would get the user's password; its false loosens nothing."""
    own = parsed('[profiles.prod]\nurl = "redis://own"\nproduction = true\npassword_file = "x"')
    found = parsed(
        '[profiles.prod]\nurl = "redis://evil"\nread_only = true\nproduction = false\n'
        'prefix = "x:"\n[profiles.dev]\nurl = "redis://dev"\nread_only = false',
        is_own=False,
    )
    files = [
        ProfilesFile(Path("/own/pawsctl.toml"), is_own=True, profiles=own),
        ProfilesFile(Path("/found/pawsctl.toml"), is_own=False, profiles=found),
    ]
    known = profile.every(files)
    prod, dev = known["prod"], known["dev"]
    assert prod.place().host == "own"
    assert prod.production == "profile prod in /own/pawsctl.toml:3"
    assert prod.read_only == "profile prod in /found/pawsctl.toml:3"
    assert prod.setting("SESSION_PREFIX") is None
    assert (prod.is_found, dev.is_found, dev.read_only) == (False, True, "")


def test_a_profile_without_a_url_is_an_error() -> None:
    """Another source would say where it leads."""
    file = ProfilesFile(Path("p"), is_own=True, profiles=parsed("[profiles.x]\nproduction = true"))
    with pytest.raises(UsageError, match="The profile x in p has no url"):
        profile.every([file])


def test_files_of_tls_are_beside_the_profile(tmp_path: Path) -> None:
    """A name with a blank or an ampersand is one file."""
    text = '[profiles.x]\nurl = "rediss://h?db=2"\nssl_ca_certs = "a & b.pem"\n'
    text += "ssl_check_hostname = false\n"
    file = ProfilesFile(tmp_path / "pawsctl.toml", is_own=True, profiles=parsed(text))
    target = profile.every([file])["x"].place()
    assert target.tls is not None
    assert target.tls.ca_certs == str(tmp_path / "a & b.pem")
    assert (target.tls.check_hostname, target.tls.verify, target.db) == (False, True, 2)
