"""The parts of the platform: their programs, what they need first, and how to see they are well."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines.core.errors import UsageError
from pipelines.core.settings import Settings
from pipelines.services import airflow_server, mlflow_server, postgres_server, probes, spark_server
from pipelines.services.program import Program


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part; its programs are started together and it is up when its probe says so."""

    name: str
    programs: tuple[str, ...]
    prepare: Callable[[Settings], None]
    program: Callable[[Settings, str], Program]
    probe: Callable[[Settings], bool]
    address: str  # the setting of its address: where that is given, it is not ours to start
    needs: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()  # the settings that name its ports
    timeout_seconds: int = 240  # five Sparks at once on two cores took over 120

    def elsewhere(self, settings: Settings) -> bool:
        """Whether somebody else starts and stops it."""
        return bool(getattr(settings, self.address))


PARTS: Mapping[str, Part] = {
    part.name: part
    for part in (
        Part(
            name="postgres",
            programs=("postgres",),
            prepare=postgres_server.prepare,
            program=lambda settings, _: postgres_server.program(settings),
            probe=probes.postgres,
            address="postgres",
        ),
        Part(
            name="spark",
            programs=("spark",),
            prepare=spark_server.prepare,
            program=lambda settings, _: spark_server.program(settings),
            probe=probes.spark,
            address="spark_remote",
            ports=("spark_port", "spark_ui_port"),
        ),
        Part(
            name="airflow",
            programs=tuple(airflow_server.COMMANDS),
            prepare=airflow_server.prepare,
            program=airflow_server.program,
            probe=probes.airflow,
            address="airflow_url",
            needs=("postgres",),
            ports=("airflow_port",),
        ),
        Part(
            name="mlflow",
            programs=("mlflow",),
            prepare=mlflow_server.prepare,
            program=lambda settings, _: mlflow_server.program(settings),
            probe=probes.mlflow,
            address="mlflow_url",
            needs=("postgres",),
            ports=("mlflow_port",),
        ),
    )
}


def chosen(names: tuple[str, ...] | None) -> list[Part]:
    """The parts of those names (None: all) and what they need, in order of start.

    Raises:
        UsageError: there is no part of that name.
    """
    for name in names or ():
        if name not in PARTS:
            raise UsageError(f"no part {name!r}; there is {', '.join(PARTS)}")
    wanted = set(PARTS if names is None else names)
    wanted |= {need for name in wanted for need in PARTS[name].needs}
    return [part for name, part in PARTS.items() if name in wanted]
