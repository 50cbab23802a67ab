"""Check the settings: their `.env`, overridden values, and files another user could write."""

from collections.abc import Iterator
from pathlib import Path

from pawsctl.config import dotenv_file
from pawsctl.config.settings import Settings
from pawsctl.config.target import Target
from pawsctl.files import trust
from pawsctl.stack import cautions
from pawsctl.workflows.doctor.finding import Finding


def examine(settings: Settings, target: Target) -> Iterator[Finding]:
    """Yield findings on settings that were read without an error."""
    # A file that the user named may be a pipe, which is empty by now.
    file = settings.file if settings.file and settings.file.is_file() else None
    source = f"settings from {settings.file}" if settings.file else "no .env"
    hidden = _hidden(settings, file) if file else ()
    prefix = settings["SESSION_PREFIX"]
    keys = [] if prefix.is_default else [f"sessions under {prefix.value} (from {prefix.origin})"]
    told = "; ".join([f"{target.url} (from {target.origin})", source, *keys, *hidden])
    yield Finding("settings", "ok", told)
    for address in cautions.two_servers(target):
        yield Finding("localhost", "warning", cautions.ambiguity(address), cautions.HINT)
    if file is not None and b"\r\n" in file.read_bytes():
        yield Finding(
            "line ends",
            "warning",
            f"lines of {file} end in CR LF: pawsctl reads them, and a shell or another program "
            "takes the CR for a part of the value",
            f"sed -i 's/\\r$//' {file}",
        )
    yield from _writable(settings, target)


def _hidden(settings: Settings, file: Path) -> Iterator[str]:
    """Yield a sentence for each value of the `.env` that the environment or an option overrides."""
    for name, (value, line) in dotenv_file.read(file).items():
        setting = settings.values.get(name)
        if setting is not None and not setting.is_of(file) and setting.value != value:
            yield f"{setting.origin} hides that of {file}:{line}"


def _writable(settings: Settings, target: Target) -> Iterator[Finding]:
    """Warn of each file that another user could write: `.env`, password file, TLS files."""
    tls = target.tls
    names = [settings.text("REDIS_PASSWORD_FILE"), *((tls.ca_certs, tls.keyfile) if tls else ())]
    files = [settings.file, *(Path(each) for each in names if each)]
    for file in files:
        try:
            fault = trust.fault(file.absolute()) if file else ""
        except OSError:
            # Reading the file reports this.
            continue
        if fault:
            hint = "Have it yours alone: chown, chmod go-w."
            yield Finding("trust", "warning", f"{file} could be somebody else's: {fault}", hint)
