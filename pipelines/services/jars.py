"""Spark's further jars: fetched once by Ivy, which ships with Spark, and checked at every use."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from pipelines.core.errors import ServiceUnavailable
from pipelines.core.settings import Settings
from pipelines.services import java


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
    folder = settings.cache / "jars"
    missing = [jar for jar in pinned() if not _is_intact(folder / jar.file, jar)]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as work:
        _fetch(settings, missing, Path(work))
        for jar in missing:
            _accept(Path(work) / jar.file, jar, folder)


def _is_intact(path: Path, jar: Jar) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256


def _accept(fetched: Path, jar: Jar, folder: Path) -> None:
    if not _is_intact(fetched, jar):
        raise ServiceUnavailable(
            f"{jar.file} as fetched is not the one in spark_jars.sha256, so it is not used; "
            "check what serves Maven artifacts here (MILLRACE_MAVEN_REPOSITORY)"
        )
    # Renamed last: a second start at the same time sees all of it or nothing.
    shutil.move(fetched, folder / jar.file)


def _fetch(settings: Settings, jars: Iterable[Jar], work: Path) -> None:
    (work / "ivy.xml").write_text(_ivy_module(jars))
    (work / "settings.xml").write_text(_ivy_settings(settings.maven_repository))
    java.trust_the_machine(work, settings.certificates)
    command = [
        *(str(java.JAVA), *java.trust_options(work), "-cp", str(java.SPARK_HOME / "jars" / "*")),
        *("org.apache.ivy.Main", "-warn", "-settings", str(work / "settings.xml")),
        *("-cache", str(work / "cache"), "-ivy", str(work / "ivy.xml"), "-types", "jar"),
        *("-retrieve", str(work / "[artifact]-[revision].[ext]")),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0 or not all((work / jar.file).exists() for jar in jars):
        reason = _reason(ended.stdout + ended.stderr)
        raise ServiceUnavailable(
            f"Spark's jars for Delta could not be fetched ({reason}); "
            "check the network, set MILLRACE_MAVEN_REPOSITORY to a mirror of Maven Central, "
            f"or put the files named in spark_jars.sha256 into {settings.cache / 'jars'}"
        )


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if ":: " in line or "rror" in line]
    return next((line.strip(": ") for line in lines if "not found" in line or "rror" in line), "?")


def _ivy_module(jars: Iterable[Jar]) -> str:
    wanted = "".join(
        f'<dependency org="{jar.group}" name="{jar.artifact}" rev="{jar.version}" '
        'conf="default->default" transitive="false"/>'
        for jar in jars
    )
    head = '<info organisation="millrace" module="jars"/>'
    return f'<ivy-module version="2.0">{head}<dependencies>{wanted}</dependencies></ivy-module>'


def _ivy_settings(mirror: str) -> str:
    root = f" root={quoteattr(mirror)}" if mirror else ""
    resolver = f'<ibiblio name="maven" m2compatible="true"{root}/>'
    return (
        f'<ivysettings><settings defaultResolver="maven"/><resolvers>{resolver}</resolvers>'
        "</ivysettings>"
    )
