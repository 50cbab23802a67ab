"""The PEM files that a URL names for TLS, looked at before a server could be blamed for them."""

from __future__ import annotations

import ssl
from pathlib import Path

from pawsctl.config.target import Tls
from pawsctl.errors import UsageError

_CERTIFICATE, _KEY = b"CERTIFICATE-----", b"PRIVATE KEY-----"


def require(tls: Tls) -> None:
    """Raise UsageError for files that can't be used: it names their parameters and the reason."""
    if tls.keyfile is not None and tls.certfile is None:
        raise UsageError(
            "ssl_keyfile in the URL is of no use without ssl_certfile.", hint="Name both."
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    given = "ssl_ca_certs"
    try:
        if tls.ca_certs is not None:
            context.load_verify_locations(tls.ca_certs)
        if tls.certfile is not None:
            given = "ssl_certfile and ssl_keyfile" if tls.keyfile else "ssl_certfile"
            context.load_cert_chain(tls.certfile, tls.keyfile)
    except OSError as error:
        reason, hint = _reason(error, tls, given)
        raise UsageError(
            f"What {given} in the URL names can't be used: {reason}.",
            hint=hint
            or "Give PEM files that belong together, with paths that are absolute or from the "
            "working directory.",
        ) from error


def _reason(error: OSError, tls: Tls, given: str) -> tuple[str, str]:
    """Return why files can't be used, and what to do if that is not to give others.

    Of most of them, OpenSSL tells only that its library for PEM failed.
    """
    certfile = tls.ca_certs if given == "ssl_ca_certs" else tls.certfile
    keyfile = tls.keyfile or certfile
    certificate, key = _content(certfile), _content(keyfile)
    if certificate is None or (key is None and given != "ssl_ca_certs"):
        return error.strerror or str(error), ""
    if _CERTIFICATE not in certificate:
        return f"there is no certificate in {certfile}", ""
    if given == "ssl_ca_certs":
        return "its certificate is damaged", ""
    if _KEY not in (key or b""):
        hint = "" if tls.keyfile else "Name the file of the key with ssl_keyfile."
        return f"there is no private key in {keyfile}", hint
    return _reason_of_pair(error, key or b"")


def _reason_of_pair(error: OSError, key: bytes) -> tuple[str, str]:
    """Return the same for a certificate and a key that are both there."""
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return "the private key is not that of the certificate", ""
    if b"ENCRYPTED" in key:
        return "the private key has a pass phrase", "Name a key that has none."
    return "the certificate or the private key is damaged", ""


def _content(path: str | None) -> bytes | None:
    """Return what is in a file; None if it can't be read."""
    try:
        return Path(path or "").read_bytes()
    except (OSError, ValueError):
        return None
