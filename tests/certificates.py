"""Certificates for tests, signed by the test's own authority, and servers that use them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from tests.ports import free_port
from tests.servers import Server, redis_itself, required, wait_until_ready


class Certificates:
    """PEM files in a folder: an authority (`ca`), and the certificates it signed, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = folder / "ca.crt"
        required("openssl")
        self._openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test authority"),
        )
        self._sign("server", "DNS:localhost,IP:127.0.0.1")
        self._sign("elsewhere", "DNS:elsewhere.example")
        self._sign("client", "DNS:client.example")
        self._sign("expired", "DNS:localhost,IP:127.0.0.1", days=-1)

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def _sign(self, name: str, names: str, *, days: int = 2) -> None:
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        self._openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"),
        )
        self._openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key"),
            *(
                "-CAcreateserial",
                "-days",
                str(days),
                "-extfile",
                f"{name}.ext",
                "-out",
                f"{name}.crt",
            ),
        )

    def server_options(self, name: str = "server", *, clients: str = "no") -> list[str]:
        """Return a server's options: its certificate, and whether it asks clients for one."""
        return [
            *("--tls-cert-file", str(self.folder / f"{name}.crt")),
            *("--tls-key-file", str(self.folder / f"{name}.key")),
            *("--tls-ca-cert-file", str(self.ca), "--tls-auth-clients", clients),
        ]

    @property
    def client_options(self) -> dict[str, Any]:
        """Return an SDK client's arguments."""
        return {
            "ssl": True,
            "ssl_ca_certs": str(self.ca),
            "ssl_certfile": str(self.folder / "client.crt"),
            "ssl_keyfile": str(self.folder / "client.key"),
            "ssl_check_hostname": False,
        }

    @property
    def query(self) -> str:
        """Return URL parameters that trust the authority."""
        return f"?ssl_ca_certs={self.ca}"

    @property
    def query_with_client(self) -> str:
        """Return URL parameters that trust the authority and send the client's certificate."""
        names = f"&ssl_certfile={self.folder}/client.crt&ssl_keyfile={self.folder}/client.key"
        return self.query + names


@contextmanager
def tls_server(
    certificates: Certificates, name: str = "server", *, clients: str = "no"
) -> Iterator[Server]:
    """A Redis that speaks only TLS; Valkey's wheel has no TLS."""
    path = redis_itself()
    port = free_port()
    folder = certificates.folder
    options = ["--port", "0", "--tls-port", str(port), "--dir", str(folder), "--save", ""]
    log = folder / f"{port}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [path, *options, *certificates.server_options(name, clients=clients)],
            stdout=stream,
            stderr=stream,
        )
    server = Server(process, port, None)
    server.client.close()
    server.client = redis.Redis(port=port, protocol=2, **certificates.client_options)
    try:
        wait_until_ready(server, log)
        yield server
    finally:
        server.client.close()
        process.kill()
        process.wait()
