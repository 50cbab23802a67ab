"""Why a server's certificate is not accepted, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

NAME_THE_AUTHORITY = (
    "Name the authority that signed it: ssl_ca_certs=FILE in the URL's parameters (and "
    "ssl_certfile=FILE, ssl_keyfile=FILE where the server wants to know the client)."
)
RENEW_THE_CLIENTS = "Have it renewed: ssl_certfile in the URL's parameters names it."
# OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID, …_CERT_HAS_EXPIRED, and the mismatches of a name.
_TOO_EARLY, _EXPIRED, _MISMATCHES = 9, 10, (62, 63, 64)


def refusal(error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """Return the reason and the next step for a certificate that was not accepted."""
    message = error.verify_message.rstrip(".")
    if "match" in message.lower() or error.verify_code in _MISMATCHES:
        return (
            f"its certificate is for another name ({message})",
            "Use the name in the certificate, or ssl_check_hostname=false in the URL where "
            "you trust everyone whom that authority has signed.",
        )
    hint = f"{NAME_THE_AUTHORITY} For Heroku's, which nobody signs, ssl_cert_reqs=none."
    if error.verify_code == _EXPIRED:
        hint = "Have it renewed, or its authority's; this machine's clock may be wrong, too."
    elif error.verify_code == _TOO_EARLY:
        hint = "Compare this machine's clock with the server's: one of them may be wrong."
    return f"its certificate is not trusted ({message})", hint
