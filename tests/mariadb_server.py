"""MariaDB as Debian packages it, in a folder of its own, without a port."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

_SERVER, _INSTALL = "mariadbd", "mariadb-install-db"
_USER = "mysql"
_START_SECONDS = 60


def missing() -> str:
    """Why there is no server; empty: there is one."""
    programs = [each for each in (_SERVER, _INSTALL) if not _program(each)]
    return f"no {', '.join(programs)}: apt-get install mariadb-server" if programs else ""


def _program(name: str) -> str | None:
    # Debian keeps servers where only root looks.
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def address() -> Iterator[str]:
    """The address of an empty database of a server that ends with the block."""
    if reason := missing():
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="mr-maria-"))
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, pwd.getpwnam(_USER).pw_uid, -1)
    socket = folder / "socket"
    # Without --no-defaults it would follow the files of this machine.
    options = ["--no-defaults", f"--datadir={folder / 'data'}"]
    options += [f"--user={_USER}"] if is_root else []
    install = [_program(_INSTALL) or "", *options, "--auth-root-authentication-method=normal"]
    try:
        subprocess.run(install, check=True, capture_output=True)
        server = [_program(_SERVER) or "", *options, f"--socket={socket}", "--skip-networking"]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(server, stdout=quiet, stderr=quiet) as process:
            try:
                yield _made(f"mysql://root@localhost/mysql?unix_socket={socket}", socket)
            finally:
                process.terminate()
    finally:
        shutil.rmtree(folder)


def _made(server: str, socket: Path) -> str:
    """A database for the test, once the server answers."""
    deadline = time.monotonic() + _START_SECONDS
    # Not by trying: the driver leaves the sockets of failed tries open.
    while not socket.exists():
        assert time.monotonic() < deadline, "MariaDB did not start"
        time.sleep(0.2)
    engine = create_engine(server.replace("mysql://", "mysql+pymysql://"), poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("create database shop character set utf8mb4")
    return server.replace("/mysql?", "/shop?")
