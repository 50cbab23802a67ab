"""The bot's own settings are found where the bot finds them."""

from pathlib import Path

import pytest

from pawsctl.config import bot_settings, load_settings
from pawsctl.config.bot_settings import BotSettings
from pawsctl.errors import UsageError

ALL = {
    "REDIS_URL": "redis://a",
    "ANTHROPIC_API_KEY": "a",
    "DATABASE_URL": "a",
    "TWILIO_ACCOUNT_SID": "a",
    "TWILIO_AUTH_TOKEN": "a",
}


def found(folder: Path, environ: dict[str, str], *, named: str = "") -> BotSettings:
    """Return the bot's settings, as a command finds them in a folder."""
    environ = {"HOME": str(folder), **environ}
    settings = load_settings.load(
        environ=environ,
        directory=folder,
        env_file=folder / named if named else None,
        url="redis://b",
    )
    return bot_settings.load(settings, environ=environ, directory=folder)


def test_each_service_needs_its_variables(tmp_path: Path) -> None:
    """--url is none of the bot's; Twilio needs both of its own."""
    assert found(tmp_path, ALL).missing == []
    del (less := dict(ALL))["TWILIO_AUTH_TOKEN"], less["REDIS_URL"]
    told = found(tmp_path, less)
    assert told.missing == ["REDIS_URL", "TWILIO_AUTH_TOKEN"]
    assert told.configured == {
        "redis": False,
        "anthropic": True,
        "database": True,
        "twilio": False,
    }


def test_files_complete_the_environment(tmp_path: Path) -> None:
    """`.env.local` comes before `.env`; an empty variable of the environment hides both."""
    (tmp_path / ".env").write_text("DATABASE_URL=a\nNODE_ENV=production\nANTHROPIC_API_KEY=a\n")
    (tmp_path / ".env.local").write_text("NODE_ENV=development\nTWILIO_ACCOUNT_SID=a\n")
    told = found(tmp_path, {"ANTHROPIC_API_KEY": ""})
    assert told.is_development
    assert told.missing == ["REDIS_URL", "ANTHROPIC_API_KEY", "TWILIO_AUTH_TOKEN"]
    assert not found(tmp_path, {"NODE_ENV": "Development"}).is_development
    # A file that was named stands for both.
    assert not found(tmp_path, {}, named=".env").is_development


def test_a_file_that_another_user_could_have_written_is_refused(tmp_path: Path) -> None:
    """It could have sessions told, where nobody wanted that."""
    (tmp_path / ".env.local").write_text("NODE_ENV=development\n")
    (tmp_path / ".env.local").chmod(0o666)
    with pytest.raises(UsageError, match=r"\.env\.local is not read"):
        found(tmp_path, {})
