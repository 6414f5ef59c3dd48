"""supervisord: started as a daemon, asked over a Unix socket that only its owner may open."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from socket import AF_UNIX, socket
from typing import TYPE_CHECKING, Any, cast

from pipelines.core.errors import ServiceUnavailable
from pipelines.core.settings import Settings
from pipelines.services import secrets

if TYPE_CHECKING:
    from xmlrpc.client import ServerProxy

# In the environment of every supervised process and of what it starts; its value is the home.
MARK = "MILLRACE_SUPERVISED"

# What running parts were started with; a change needs a new start.
FIXED = (
    *("host", "airflow_port", "mlflow_port", "spark_port", "spark_ui_port"),
    *("spark_memory", "spark_java_options"),
)


def control(settings: Settings) -> Path:
    """Its control socket."""
    return settings.sockets_home / "supervisor" / "control"


def pid_file(settings: Settings) -> Path:
    """Its process id; stays behind when it is killed."""
    return settings.home / "supervisor" / "supervisord.pid"


def is_up(settings: Settings) -> bool:
    """Whether it listens: a left-over socket file of a killed one refuses."""
    with socket(AF_UNIX) as probe:
        return probe.connect_ex(str(control(settings))) == 0


def start(settings: Settings, parts: Mapping[str, Sequence[str]]) -> None:
    """Start it, without any program yet.

    Raises:
        ServiceUnavailable: it did not come up; names its log.
    """
    folder = settings.home / "supervisor"
    for private in (folder, settings.logs):
        private.mkdir(mode=0o700, exist_ok=True)
    configuration = folder / "supervisord.conf"
    secrets.write(configuration, render(settings, parts))
    secrets.write(folder / "started_with.json", json.dumps(_fixed(settings)))
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)]
    ended = subprocess.run(
        command, env=environment(settings), capture_output=True, text=True, check=False
    )
    deadline = time.monotonic() + 10
    while not is_up(settings):
        if ended.returncode != 0 or time.monotonic() > deadline:
            said = ended.stderr.strip().splitlines()[-1:] or [f"see {settings.logs}"]
            raise ServiceUnavailable(f"the supervisor did not start: {said[0]}")
        time.sleep(0.05)


def render(settings: Settings, parts: Mapping[str, Sequence[str]]) -> str:
    """Its configuration file."""
    from jinja2 import Environment, StrictUndefined

    template = Path(__file__).with_name("supervisord.conf.j2").read_text()
    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  (an INI file, not a page)
        # In this format `%` begins a variable.
        finalize=lambda value: str(value).replace("%", "%%"),
    )
    return environment.from_string(template).render(
        home=settings.home,
        logs=settings.logs,
        folder=settings.home / "supervisor",
        control=control(settings),
        is_root=os.geteuid() == 0,
        python=shlex.quote(sys.executable),
        parts=parts,
    )


def environment(settings: Settings) -> dict[str, str]:
    """The environment of all parts: this process's, these settings, and a mark to know them by.

    Not what concerns a Spark of somebody else's: SPARK_REMOTE alone keeps a server from starting.
    """
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SPARK_", "PYSPARK_"))
    }
    return {**ours, **settings.environment(), MARK: str(settings.home)}


def check_unchanged(settings: Settings) -> None:
    """Refuse to mix parts that were started with other settings.

    Raises:
        ServiceUnavailable: names the setting that differs.
    """
    running = json.loads((settings.home / "supervisor" / "started_with.json").read_text())
    for name, value in _fixed(settings).items():
        if running[name] != value:
            raise ServiceUnavailable(
                f"the platform runs with {name} = {running[name]}, not {value}: "
                f"run `millrace stop` first, or leave MILLRACE_{name.upper()} as it was"
            )


def states(settings: Settings) -> dict[str, str]:
    """Each program's state, such as RUNNING, BACKOFF, FATAL; empty when nothing is supervised."""
    if not is_up(settings):
        return {}
    return {program["name"]: program["statename"] for program in processes(settings)}


def processes(settings: Settings) -> list[dict[str, Any]]:
    """What it knows of each program: name, state, process id, exit status."""
    with _server(settings) as server:
        return cast("list[dict[str, Any]]", server.supervisor.getAllProcessInfo())


def start_part(settings: Settings, name: str) -> None:
    """Start those programs of a part that do not run."""
    with _server(settings) as server:
        server.supervisor.startProcessGroup(name, False)


def shut_down(settings: Settings) -> None:
    """Ask it to stop all programs, in order, and then itself."""
    if is_up(settings):
        with _server(settings) as server:
            server.supervisor.shutdown()


def _server(settings: Settings) -> "ServerProxy":
    from xmlrpc.client import ServerProxy

    from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

    transport = SupervisorTransport(serverurl=f"unix://{control(settings)}")
    return ServerProxy("http://localhost", transport=transport)


def _fixed(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json", include=set(FIXED))
