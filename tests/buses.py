"""Several server processes on one database, and real NATS: from a wheel, in a temporary directory."""

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.accounts import DEADLINE, Device, People
from tests.servers import ServerProcess

NATS: Final = Path(sys.executable).parent / "nats-server"
PAUSE_SECONDS: Final = 0.01


def eventually(condition: Callable[[], object], what: str, *, deadline: float = DEADLINE) -> None:
    """Wait until something is true; fail with `what` after so many seconds."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"not within {deadline:.0f} s: {what}"
        time.sleep(PAUSE_SECONDS)


class NatsServer:
    """One NATS server on a port of its own, which it keeps when it is started again."""

    def __init__(self, directory: Path, *, cluster: Sequence[int] = (), number: int = 0) -> None:
        """`cluster`: the ports on which the servers of a cluster find each other; `number`: which of them this is."""
        self.port = free_ports(1)[0]
        self.address = f"nats://127.0.0.1:{self.port}"
        self._log = directory / f"nats{number}.log"
        self._words = ["--addr", "127.0.0.1", "--port", str(self.port)]
        if cluster:
            routes = ",".join(f"nats://127.0.0.1:{port}" for port in cluster)
            own = f"nats://127.0.0.1:{cluster[number]}"
            self._words += ["--cluster_name", "tests", "--cluster", own, "--routes", routes, "--no_advertise"]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([NATS, *self._words], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(lambda: _answers(self.port), "NATS takes connections")

    def kill(self) -> None:
        """As kill -9 does."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def pause(self) -> None:
        """Let it stand still: its connections stay, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, which: signal.Signals) -> None:
        assert self._process is not None, "it does not run"
        self._process.send_signal(which)


@contextmanager
def nats_server() -> Iterator[NatsServer]:
    """A server for as long as the context lasts."""
    with nats_cluster(1) as [server]:
        yield server


@contextmanager
def nats_cluster(size: int = 3) -> Iterator[list[NatsServer]]:
    """Servers that pass on to each other what they hear."""
    with tempfile.TemporaryDirectory(prefix="nats") as name, ExitStack() as stack:
        ports = free_ports(size) if size > 1 else []
        servers = []
        for number in range(size):
            server = NatsServer(Path(name), cluster=ports, number=number)
            stack.callback(server.kill)
            servers.append(server)
        yield servers


class Cluster:
    """Server processes on one database, each with an address of its own; what a load balancer would stand before."""

    def __init__(self, directory: Path, database: str, size: int, *words: str) -> None:
        """`words`: further options of `serve`, such as --bus."""
        self._stack = ExitStack()
        self.processes: list[ServerProcess] = []
        self.people: list[People] = []
        """One for each process."""
        try:
            for number in range(size):
                process = ServerProcess(directory / f"server{number}", "--database", database, *words)
                self._stack.callback(process.kill)
                self.processes.append(process)
                there = People(process.url)
                self._stack.callback(there.close)
                self.people.append(there)
            eventually(lambda: all(self.known(number) == size for number in range(size)), "processes know each other")
        except BaseException:
            self.close()
            raise

    def at(self, number: int, device: Device) -> Device:
        """The same log-in, speaking to another process."""
        return device.at(self.people[number].http)

    def metric(self, number: int, name: str) -> float:
        """A number that a process counts of itself, such as tui_chat_bus_up."""
        text = self.people[number].http.get("/metrics").text
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))

    def known(self, number: int) -> int:
        """How many processes that one knows of, with itself."""
        return int(self.metric(number, "tui_chat_processes"))

    def bus(self, number: int) -> str:
        """What a process says of its bus: up or down."""
        bus: str = self.people[number].http.get("/healthz").json()["bus"]
        return bus

    def close(self) -> None:
        """End them."""
        self._stack.close()


@contextmanager
def cluster(directory: Path, database: str, size: int, *words: str) -> Iterator[Cluster]:
    """Processes for as long as the context lasts."""
    there = Cluster(directory, database, size, *words)
    try:
        yield there
    finally:
        there.close()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connection:
            return connection.recv(5) == b"INFO "
    except OSError:
        return False
