"""Spark's jars come from a Maven repository, and are used only if they are the pinned ones."""

import datetime
import ssl
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipelines.core.errors import ServiceUnavailable
from pipelines.core.settings import Settings
from pipelines.services import jars
from pipelines.services.java import SPARK_HOME

CONTENT = b"a jar"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Not among the tests' output."""


@pytest.fixture
def jar(monkeypatch: pytest.MonkeyPatch) -> jars.Jar:
    made = jars.Jar(sha256(CONTENT).hexdigest(), "org.example.tools", "engine_2.13", "1.0")
    monkeypatch.setattr(jars, "pinned", lambda: [made])
    return made


@pytest.fixture
def served(tmp_path: Path, jar: jars.Jar) -> Path:
    """The jar as a repository has it."""
    file = tmp_path / "repository/org/example/tools/engine_2.13/1.0/engine_2.13-1.0.jar"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    return file


@pytest.fixture
def server(tmp_path: Path, served: Path) -> Iterator[ThreadingHTTPServer]:
    handler = partial(Quiet, directory=str(tmp_path / "repository"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as made:
        thread = Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def settings(tmp_path: Path, server: ThreadingHTTPServer) -> Settings:
    return Settings(
        home=tmp_path,
        cache_home=tmp_path / "cache",
        maven_repository=f"http://user:canary@127.0.0.1:{server.server_port}/",
        certificates=None,
    )


def lying(settings: Settings) -> dict[str, bytes]:
    folder = settings.cache / "jars"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_jars_are_pinned_and_none_is_one_that_spark_has() -> None:
    ships = [path.name for path in (SPARK_HOME / "jars").glob("*.jar")]
    for jar in jars.pinned():
        assert len(jar.sha256) == 64
        assert not [name for name in ships if name.startswith(f"{jar.artifact}-")], jar


def test_maven_central_is_where_sparks_own_resolver_finds_it() -> None:
    assert jars._maven_central().startswith("https://")
    assert jars._maven_central().endswith("/")


def test_a_jar_is_fetched_once_and_again_when_it_is_damaged(
    settings: Settings, jar: jars.Jar, served: Path
) -> None:
    jars.ensure(settings)
    assert lying(settings) == {jar.file: CONTENT}
    served.unlink()
    jars.ensure(settings)
    (path,) = jars.paths(settings)
    path.write_bytes(CONTENT[:2])
    with pytest.raises(ServiceUnavailable, match="could not be fetched"):
        jars.ensure(settings)
    served.write_bytes(CONTENT)
    jars.ensure(settings)
    assert lying(settings) == {jar.file: CONTENT}


def test_b24_a_jar_with_another_content_is_never_used(settings: Settings, served: Path) -> None:
    served.write_bytes(b"not the jar")
    with pytest.raises(
        ServiceUnavailable, match=r"engine_2.13-1.0.jar.*not the one in spark_jars\.sha256"
    ):
        jars.ensure(settings)
    assert lying(settings) == {}


def test_a_jar_that_is_not_there_is_named_without_the_repositorys_password(
    settings: Settings, jar: jars.Jar, served: Path
) -> None:
    served.unlink()
    with pytest.raises(ServiceUnavailable) as refused:
        jars.ensure(settings)
    said = str(refused.value)
    assert f"404 Client Error: File not found for url: the repository/{jar.path}" in said
    assert "MILLRACE_MAVEN_REPOSITORY" in said
    assert str(settings.cache / "jars") in said
    assert "canary" not in said
    assert lying(settings) == {}


def own_certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that nobody but itself vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "own.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


# The server's side of the refused handshake, which Python leaves to be collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_whom_the_machine_trusts_is_trusted(
    settings: Settings, jar: jars.Jar, server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    own = own_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    repository = f"https://127.0.0.1:{server.server_port}"
    stranger = settings.model_copy(update={"maven_repository": repository})
    with pytest.raises(ServiceUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        jars.ensure(stranger)
    jars.ensure(stranger.model_copy(update={"certificates": own}))
    assert lying(settings) == {jar.file: CONTENT}
