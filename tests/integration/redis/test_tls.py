"""TLS: trusted certificates work, and every failure is reported as what it is."""

from collections.abc import Iterator

import pytest

from pawsctl.errors import ExitStatus
from tests import certificates, clusters
from tests.certificates import Certificates
from tests.cli_runner import Pawsctl
from tests.servers import Server, redis_itself
from tests.serving import serving


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of the test's own authority."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def tls_server(signed: Certificates) -> Iterator[Server]:
    """A Redis that speaks TLS only."""
    with certificates.tls_server(signed) as server:
        yield server


def error_of(pawsctl: Pawsctl, url: str, *options: str) -> dict[str, str]:
    """Return the error of a list that must fail to connect."""
    result = pawsctl("session", "list", "--json", "--url", url, *options)
    assert result.status == ExitStatus.UNREACHABLE, result
    return result.error


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_that_is_trusted(
    bare_pawsctl: Pawsctl, tls_server: Server, signed: Certificates, host: str
) -> None:
    """By name and by address, for reading and writing."""
    tls_server.client.set("wh:session:+1", b"{}", ex=100)
    url = f"rediss://{host}:{tls_server.port}{signed.query}"
    listed = bare_pawsctl("session", "list", "--json", "--url", url)
    assert [each["phone"] for each in listed.json] == ["+1"]
    assert bare_pawsctl("test-session", "--url", url).status == ExitStatus.OK


def test_tls_looks_like_production(
    bare_pawsctl: Pawsctl, tls_server: Server, signed: Certificates
) -> None:
    """Also on this machine; a profile names the authority by a file beside it."""
    tls_server.client.set("wh:session:+1", b"{}", ex=100)
    own = bare_pawsctl.folder / ".config" / "pawsctl" / "pawsctl.toml"
    own.parent.mkdir(parents=True)
    (own.parent / "authority.pem").write_bytes(signed.ca.read_bytes())
    own.write_text(
        f'[profiles.prod]\nurl = "rediss://127.0.0.1:{tls_server.port}"\n'
        'ssl_ca_certs = "authority.pem"\n'
    )
    refused = bare_pawsctl("--profile", "prod", "session", "delete", "+1")
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert "it is reached over TLS" in refused.err
    options = ("--profile", "prod", "--confirm", "127.0.0.1")
    assert bare_pawsctl("session", "delete", "+1", *options).status == ExitStatus.OK


def test_a_server_asks_over_tls(
    bare_pawsctl: Pawsctl, tls_server: Server, signed: Certificates
) -> None:
    """`pawsctl serve` tells of a Redis that speaks TLS, and of one that it can't trust."""
    url = f"rediss://localhost:{tls_server.port}"
    for query, status in ((signed.query, "up"), ("", "down")):
        with serving(bare_pawsctl, "--url", url + query) as served:
            assert served.ask().json["services"]["redis"]["status"] == status


def test_an_authority_that_nobody_knows(bare_pawsctl: Pawsctl, tls_server: Server) -> None:
    """It is not in the system's store; the hint says how to name it."""
    error = error_of(bare_pawsctl, f"rediss://localhost:{tls_server.port}")
    assert "its certificate is not trusted" in error["message"]
    assert "ssl_ca_certs" in error["hint"]


def test_an_expired_certificate_is_to_be_renewed(
    bare_pawsctl: Pawsctl, signed: Certificates
) -> None:
    """To name its authority, which is known, would not help; `doctor` says the same."""
    with certificates.tls_server(signed) as server:
        cert, key = (str(signed.folder / f"expired.{end}") for end in ("crt", "key"))
        server.client.config_set("tls-cert-file", cert, "tls-key-file", key)
        url = f"rediss://127.0.0.1:{server.port}{signed.query}"
        error = bare_pawsctl("health", "--json", "--url", url).error
        told = bare_pawsctl("doctor", "--json", "--url", url).json["findings"]
        unchecked = bare_pawsctl(
            *("doctor", "--json", "--url", f"rediss://127.0.0.1:{server.port}?ssl_cert_reqs=none")
        ).json["findings"]
    assert "has expired" in error["message"]
    assert error["hint"].startswith("Have it renewed")
    (tls,) = [each for each in told if each["name"] == "tls"]
    assert (tls["state"], tls["hint"][:15]) == ("failed", "Have it renewed")
    (tls,) = [each for each in unchecked if each["name"] == "tls"]
    assert "its certificate is not looked at" in tls["detail"]


def test_a_certificate_for_another_name(bare_pawsctl: Pawsctl, signed: Certificates) -> None:
    """It is refused, unless the URL turns off the check of names."""
    with certificates.tls_server(signed, "elsewhere") as server:
        url = f"rediss://localhost:{server.port}{signed.query}"
        error = error_of(bare_pawsctl, url)
        assert "its certificate is for another name" in error["message"]
        assert "ssl_check_hostname=false" in error["hint"]
        trusting = f"{url}&ssl_check_hostname=false"
        assert bare_pawsctl("session", "list", "--json", "--url", trusting).json == []


def test_a_server_that_wants_to_know_its_client(
    bare_pawsctl: Pawsctl, signed: Certificates
) -> None:
    """Without a client certificate it hangs up; with one it answers."""
    with certificates.tls_server(signed, clients="yes") as server:
        url = f"rediss://localhost:{server.port}"
        error = error_of(bare_pawsctl, url + signed.query)
        # The server sends an alert, or hangs up before the alert is read.
        assert "client's certificate" in error["message"] or "TLS" in error["message"]
        assert "ssl_certfile" in error["hint"]
        listed = bare_pawsctl("session", "list", "--json", "--url", url + signed.query_with_client)
        assert listed.json == []


def test_a_clients_certificate_that_has_expired(
    bare_pawsctl: Pawsctl, signed: Certificates
) -> None:
    """Its own authority would not help."""
    pair = "&".join(
        f"ssl_{kind}file={signed.folder / f'expired.{end}'}"
        for kind, end in (("cert", "crt"), ("key", "key"))
    )
    with certificates.tls_server(signed, clients="yes") as server:
        error = error_of(bare_pawsctl, f"rediss://localhost:{server.port}{signed.query}&{pair}")
    # The server hangs up, and its alert may be lost.
    if "hung up" not in error["message"]:
        assert "the client's certificate has expired" in error["message"]
        assert error["hint"].startswith("Have it renewed: ssl_certfile")


def test_tls_to_a_plain_server(bare_pawsctl: Pawsctl, any_server: Server) -> None:
    """rediss:// is used instead of redis://."""
    error = error_of(bare_pawsctl, f"rediss://127.0.0.1:{any_server.port}", "--timeout", "1")
    assert "TLS" in error["message"]
    assert "redis://" in error["hint"]


def test_plain_to_a_tls_server(bare_pawsctl: Pawsctl, tls_server: Server) -> None:
    """redis:// is used instead of rediss://."""
    error = error_of(bare_pawsctl, f"redis://127.0.0.1:{tls_server.port}")
    assert "TLS" in error["message"]
    assert "rediss://" in error["hint"]


@pytest.mark.parametrize("name", ["ssl_ca_certs", "ssl_certfile", "ssl_keyfile"])
def test_a_file_that_is_not_there(bare_pawsctl: Pawsctl, tls_server: Server, name: str) -> None:
    """The error names the parameter: the URL is wrong."""
    url = f"rediss://localhost:{tls_server.port}?{name}=nowhere.pem"
    result = bare_pawsctl("session", "list", "--json", "--url", url)
    assert result.status == ExitStatus.USAGE
    assert name in result.error["message"]


@pytest.mark.parametrize("name", ["ssl_ca_certs", "ssl_certfile"])
def test_a_file_that_is_no_certificate(
    bare_pawsctl: Pawsctl, tls_server: Server, name: str
) -> None:
    """The error does not blame the server."""
    (bare_pawsctl.folder / "text.pem").write_text("no certificate\n")
    url = f"rediss://localhost:{tls_server.port}?{name}=text.pem"
    result = bare_pawsctl("session", "list", "--json", "--url", url)
    assert result.status == ExitStatus.USAGE
    assert "PEM" in result.error["hint"]


@pytest.mark.parametrize(
    ("query", "said", "hint"),
    [
        ("?ssl_certfile={}/client.crt", "no private key in {}/client.crt", "with ssl_keyfile"),
        ("?ssl_certfile={}/client.key", "no certificate in {}/client.key", "PEM"),
        ("?ssl_certfile={0}/client.crt&ssl_keyfile={0}/ca.crt", "no private key in {}/ca", "PEM"),
        ("?ssl_certfile={0}/client.crt&ssl_keyfile={0}/ca.key", "not that of the cert", "PEM"),
        ("?ssl_certfile={0}/client.crt&ssl_keyfile=nowhere.key", "No such file", "PEM"),
        ("?ssl_ca_certs={}/client.key", "no certificate in {}/client.key", "PEM"),
        ("?ssl_ca_certs=cut.crt", "is damaged", "PEM"),
        ("?ssl_certfile=cut.crt&ssl_keyfile={}/client.key", "is damaged", "PEM"),
    ],
)  # fmt: skip
def test_the_reason_is_in_words_and_not_in_openssls(
    bare_pawsctl: Pawsctl, signed: Certificates, query: str, said: str, hint: str
) -> None:
    """OpenSSL tells of most of them that its library for PEM failed, and where in its source."""
    text = (signed.folder / "client.crt").read_text()
    (bare_pawsctl.folder / "cut.crt").write_text(text[: len(text) // 2])
    url = "rediss://localhost:1" + query.format(signed.folder)
    result = bare_pawsctl("session", "list", "--json", "--url", url)
    assert result.status == ExitStatus.USAGE
    assert said.format(signed.folder) in result.error["message"]
    assert "_ssl.c" not in result.error["message"]
    assert hint in result.error["hint"]


def test_a_silent_server_ends_the_handshake_in_time(bare_pawsctl: Pawsctl) -> None:
    """It accepts the connection and sends nothing."""
    with clusters.swallowing() as port:
        error = error_of(bare_pawsctl, f"rediss://127.0.0.1:{port}", "--timeout", "1")
    assert "in time" in error["message"]


def test_a_cluster_over_tls(
    bare_pawsctl: Pawsctl, signed: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """All nodes are reached by TLS, even those that the URL does not name."""
    options = ["--port", "0", "--tls-port", "{port}", "--tls-cluster", "yes"]
    with clusters.running(
        tmp_path_factory.mktemp("tls"),
        *options,
        *signed.server_options(),
        replicas=0,
        program=redis_itself(),
        scheme="rediss",
        **signed.client_options,
    ) as cluster:
        phones = cluster.seed(300)
        for url in (
            cluster.url + signed.query,
            f"rediss://{cluster.primaries[1].address}{signed.query}",
        ):
            listed = bare_pawsctl("session", "list", "--json", "--url", url)
            assert {each["phone"] for each in listed.json} == phones
        assert "not trusted" in error_of(bare_pawsctl, cluster.url)["message"]
