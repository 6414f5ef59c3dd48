"""Spark's further jars: fetched once from a Maven repository, and checked at every use."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from pipelines.core.errors import ServiceUnavailable
from pipelines.core.settings import Settings
from pipelines.services import java

if TYPE_CHECKING:
    import pooch  # type: ignore[import-untyped]

# pooch's own, 1 kB, makes a jar of 10 MB ten thousand pieces.
_CHUNK_BYTES = 2**20
# In Ivy, Spark's own resolver: where it finds Maven Central by itself.
_IVY_DEFAULTS = "org/apache/ivy/core/settings/repository.properties"
_CENTRAL = "ivy.ibiblio.default.artifact.root"


@dataclass(frozen=True)
class Jar:
    """A Maven artifact and the only content that we accept for it."""

    sha256: str
    group: str
    artifact: str
    version: str

    @property
    def file(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> str:
        """Where every Maven repository has it."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.file}"


def pinned() -> list[Jar]:
    """The committed list: just those jars that Spark itself lacks."""
    lines = Path(__file__).with_name("spark_jars.sha256").read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return [Jar(sha256, *coordinates.split(":")) for sha256, coordinates in rows]


def paths(settings: Settings) -> list[Path]:
    """Where the jars lie when they have been fetched."""
    return [settings.cache / "jars" / jar.file for jar in pinned()]


def ensure(settings: Settings) -> None:
    """Fetch what is missing or damaged; every jar is then what the list says.

    Raises:
        ServiceUnavailable: a jar can't be fetched, or is another one than the list's.
    """
    import pooch

    # Of each download it would tell where it comes from, and with that maybe a password.
    pooch.get_logger().setLevel("WARNING")
    repository = (settings.maven_repository or _maven_central()).rstrip("/")
    trusted = str(settings.certificates) if settings.certificates else True
    download = pooch.HTTPDownloader(verify=trusted, chunk_size=_CHUNK_BYTES)
    for jar in pinned():
        _fetch(jar, settings.cache / "jars", repository, download)


def _maven_central() -> str:
    """Its address, as Spark's own resolver has it."""
    (ivy,) = (java.SPARK_HOME / "jars").glob("ivy-*.jar")
    with ZipFile(ivy) as jar:
        lines = jar.read(_IVY_DEFAULTS).decode().splitlines()
    pairs = (line.partition("=") for line in lines)
    return next(value.strip() for name, _, value in pairs if name.strip() == _CENTRAL)


def _fetch(jar: Jar, folder: Path, repository: str, download: "pooch.HTTPDownloader") -> None:
    """Into place when the whole jar is there and is the right one."""
    import pooch

    try:
        pooch.retrieve(
            f"{repository}/{jar.path}",
            known_hash=f"sha256:{jar.sha256}",
            fname=jar.file,
            path=folder,
            downloader=download,
        )
    except OSError as error:  # those of requests are such
        said = str(error).replace(repository, "the repository")
        raise ServiceUnavailable(
            f"Spark's {jar.file} could not be fetched ({said}); "
            "check the network, set MILLRACE_MAVEN_REPOSITORY to a mirror of Maven Central, "
            f"or put the files named in spark_jars.sha256 into {folder}"
        ) from error
    except ValueError as error:
        raise ServiceUnavailable(
            f"{jar.file} as fetched is not the one in spark_jars.sha256, so it is not used; "
            "check what serves Maven artifacts here (MILLRACE_MAVEN_REPOSITORY)"
        ) from error
