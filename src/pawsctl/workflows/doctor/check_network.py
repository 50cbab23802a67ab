"""Check the way to Redis: DNS, TCP, TLS, each with its own socket."""

import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address

from pawsctl.config.target import Address, Target, Tls
from pawsctl.connection.sockets import certificates
from pawsctl.plurals import plural
from pawsctl.workflows.doctor.finding import Finding

# Default seconds for each connection and each handshake.
PATIENCE = 2.0
_DAY = 86_400
# Days before the end of a certificate from which on a renewal is advised.
_SOON = 14


def fault(target: Target, seconds: float = PATIENCE) -> str:
    """Return why no address of a target accepts connections, or '' if one does."""
    if target.path is not None:
        return _socket_fault(target.path, seconds)
    found = ""
    for address in target.addresses:
        found = _connection_fault(address, seconds)
        if not found:
            return ""
    return found


def examine(target: Target, seconds: float = PATIENCE) -> Iterator[Finding]:
    """Yield the findings on the way to Redis, up to the first failure."""
    if target.path is not None:
        fault = _socket_fault(target.path, seconds)
        hint = "Is Redis started with 'unixsocket', and may this user write to the socket?"
        yield _merged("socket", {target.path: fault}, hint)
        return
    for finding in _way(target, seconds):
        yield finding
        if finding.state == "failed":
            return


def _way(target: Target, seconds: float) -> Iterator[Finding]:
    names = [each.host for each in target.addresses if not _is_number(each.host)]
    if names:
        found = {each: _addresses(each) for each in names}
        faults = {name: "" if ips else reason for name, (ips, reason) in found.items()}
        told = {name: f"{name} is {', '.join(ips)}" for name, (ips, _) in found.items()}
        hint = "Look for a typing error, and whether this machine has the DNS or VPN that knows it."
        yield _merged("dns", faults, hint, told)
    faults = {str(each): _connection_fault(each, seconds) for each in target.addresses}
    yield _merged("tcp", faults, _way_in(target))
    tls = target.sentinel_tls if target.kind == "sentinel" else target.tls
    if tls is not None:
        reached = [each for each in target.addresses if not faults[str(each)]]
        yield _tls(reached[0], tls, seconds)


def _merged(
    name: str, faults: dict[str, str], hint: str, told: dict[str, str] | None = None
) -> Finding:
    """Return one finding on several places; it is a failure only if all of them have a fault."""
    broken = [f"{place}: {reason}" for place, reason in faults.items() if reason]
    well = [(told or {}).get(place, place) for place, reason in faults.items() if not reason]
    if well and told is None:
        well = [f"{', '.join(well)} accept{'s' if len(well) == 1 else ''} connections"]
    detail = "; ".join(well + broken)
    if not broken:
        return Finding(name, "ok", detail)
    return Finding(name, "warning" if well else "failed", detail, hint)


def _way_in(target: Target) -> str:
    if target.may_be_ours:
        return "'pawsctl redis up' starts this project's Redis; 'pawsctl config' says which URL."
    return "Does Redis run there, listen beyond its own loopback, and does a firewall let you in?"


def _is_number(host: str) -> bool:
    with suppress(ValueError):
        ip_address(host)
        return True
    return False


def _addresses(host: str) -> tuple[list[str], str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return [], f"it has no address ({getattr(error, 'strerror', None) or error})"
    return sorted({str(each[4][0]) for each in found}), ""


def _connection_fault(address: Address, seconds: float) -> str:
    try:
        with socket.create_connection((address.host, address.port), seconds):
            return ""
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except (OSError, UnicodeError) as error:
        return (getattr(error, "strerror", None) or str(error)).lower()


def _socket_fault(path: str, seconds: float) -> str:
    if sys.platform == "win32":
        return "Python on Windows has no Unix sockets"
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(seconds)
            connection.connect(path)
    except (OSError, ValueError) as error:
        return (getattr(error, "strerror", None) or str(error)).lower()
    return ""


def _tls(address: Address, tls: Tls, seconds: float) -> Finding:
    try:
        context = _context(tls)
        with (
            socket.create_connection((address.host, address.port), seconds) as plain,
            context.wrap_socket(plain, server_hostname=address.host) as secure,
        ):
            version, certificate = secure.version() or "TLS", secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return Finding(
            "tls", "failed", f"{address}: {error.verify_message}", certificates.refusal(error)[1]
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        if isinstance(error, TimeoutError):
            reason = f"no answer to a TLS handshake within {seconds:g} s"
        hint = "If that port speaks no TLS, write redis:// instead of rediss://."
        return Finding("tls", "failed", f"{address}: {reason}", hint)
    days = _days_left(certificate)
    if days is not None and days < _SOON:
        detail = f"{version}; the certificate of {address} ends in {plural(days, 'day')}"
        return Finding("tls", "warning", detail, "Renew the certificate.")
    left = f"; the certificate is good for {plural(days, 'day')}" if days is not None else ""
    if not tls.verify:
        left = "; its certificate is not looked at (ssl_cert_reqs=none)"
    return Finding("tls", "ok", f"{address} speaks {version}{left}")


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_certs)
    if tls.certfile:
        context.load_cert_chain(tls.certfile, tls.keyfile)
    context.check_hostname = tls.check_hostname and tls.verify
    if not tls.verify:
        context.verify_mode = ssl.CERT_NONE
    return context


def _days_left(certificate: object) -> int | None:
    ends = certificate.get("notAfter") if isinstance(certificate, dict) else None
    if not isinstance(ends, str):
        return None
    return int((ssl.cert_time_to_seconds(ends) - time.time()) // _DAY)
