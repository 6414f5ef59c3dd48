"""What would make a start fail later and less clearly, said at once in one line."""

import errno
import platform
import shutil
import socket
from contextlib import suppress

import psutil

from pipelines.core.errors import ServiceUnavailable
from pipelines.core.settings import Settings
from pipelines.services.parts import Part

# The lake of one use case with 90 days of history, the databases, the logs, and room to rewrite.
NEEDED_GIB = 5


def check_machine(settings: Settings) -> None:
    """A supported machine, and at a first start room on its disk.

    Raises:
        ServiceUnavailable: says what is missing.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise ServiceUnavailable(
            f"the embedded parts run on Linux x86_64, and this is {platform.system()} "
            f"{platform.machine()}: use `make up` (containers) there"
        )
    free = shutil.disk_usage(settings.home).free / 2**30
    if not (settings.home / "pg").exists() and free < NEEDED_GIB:
        raise ServiceUnavailable(
            f"the disk of {settings.home} has {free:.1f} GiB free, and a first start needs "
            f"{NEEDED_GIB}: make room, or set MILLRACE_HOME to a folder on a larger disk"
        )


def check_ports(settings: Settings, part: Part) -> None:
    """The part's ports are free.

    Raises:
        ServiceUnavailable: names the port, who has it, and the setting that moves it.
    """
    for name in part.ports:
        port = getattr(settings, name)
        refusal = _refusal(settings.host, port)
        if refusal:
            raise ServiceUnavailable(
                f"port {port} for {part.name} {refusal}: end that, or set "
                f"MILLRACE_{name.upper()} to a free port"
            )


def _refusal(host: str, port: int) -> str:
    with socket.socket(socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return "needs root's rights"
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return f"can't be opened on {host} ({error.strerror})"
            return f"is taken by {_holder(port)}"
    return ""


def _holder(port: int) -> str:
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,):
            with suppress(psutil.Error):
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return "another program"
