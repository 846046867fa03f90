"""What a server counts of itself, in Prometheus' text format; no name and no ID of anybody stands in it."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from tui_chat.protocol.errors import ChatError, WrongPassword
from tui_chat.protocol.requests import ConversationsDeleted, ConversationsRestored, MessageSent

from .bus.exchange import Exchange
from .engines import DatabaseSize
from .hub import Hub
from .ratelimit import OneAtATime

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_JOBS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class _Spread:
    """How many values fell below each of some bounds, as plain numbers: of each value one is counted up."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """As Prometheus has them: each with all that are below."""
        found: list[tuple[str, float]] = []
        so_far = 0
        for bound, count in zip((*map(float, self._bounds), "+Inf"), list(self._counts), strict=True):
            so_far += count
            found.append((str(bound), so_far))
        return found


class _Answers:
    """The answers to the requests of one method at one address' pattern."""

    __slots__ = ("seconds", "statuses")

    def __init__(self) -> None:
        self.seconds = _Spread(_SECONDS)
        self.statuses: dict[int, int] = {}


class Metrics:
    """The numbers of one server, in a registry of its own.

    What is counted for every request, commit and frame is a plain number, which is read when somebody asks: Prometheus'
    own take 1 to 2 µs each, and there would be seven for every message.
    """

    def __init__(self, hub: Hub, exchange: Exchange, exports: OneAtATime) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._answers: dict[tuple[str, str], _Answers] = {}
        self._messages = 0
        self._events = 0
        self._commit_seconds = _Spread(_SECONDS)
        self._commit_jobs = _Spread(_JOBS)
        self._registry.register(_Numbers(self._of_requests))
        self._refusals = Counter(
            "tui_chat_refusals", "Requests refused, by error code", ("code",), registry=self._registry
        )
        self._login_failures = Counter(
            "tui_chat_login_failures", "Log-ins with a wrong name or password", registry=self._registry
        )
        self._conversations = Counter(
            "tui_chat_conversations",
            "Named by delete, clear, restore that went through",
            ("what",),
            registry=self._registry,
        )
        self._database = Gauge("tui_chat_database_bytes", "The database's files", registry=self._registry)
        self._empty = Gauge("tui_chat_database_empty_bytes", "Of these, what is empty", registry=self._registry)
        exporting = Gauge("tui_chat_exports", "Users whose export is under way", registry=self._registry)
        exporting.set_function(lambda: exports.under_way)
        self._registry.register(_Numbers(lambda: _of_the_hub(hub)))
        if exchange.bus.shared:
            self._registry.register(_Numbers(lambda: _of_the_bus(exchange)))
        ProcessCollector(registry=self._registry)

    def answered(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        """A request was answered; `endpoint` is the address' pattern, never the address."""
        answers = self._answers.get((method, endpoint))
        if answers is None:
            answers = self._answers[method, endpoint] = _Answers()
        answers.statuses[status] = answers.statuses.get(status, 0) + 1
        answers.seconds.observe(seconds)

    def did(self, endpoint: str, result: object) -> None:
        """Count what an answer says was done."""
        match result:
            case MessageSent():
                self._messages += 1
            case ConversationsDeleted() | ConversationsRestored():
                self._conversations.labels(endpoint.rpartition("/")[2]).inc(len(result.conversation_id_list))
            case _:
                pass

    def refused(self, error: ChatError) -> None:
        """A request was refused."""
        self._refusals.labels(error.code).inc()
        if isinstance(error, WrongPassword):
            self._login_failures.inc()

    def committed(self, events: int) -> None:
        """So many events were written."""
        self._events += events

    def group(self, jobs: int, seconds: float) -> None:
        """A commit took in so many jobs and took so long; on any thread."""
        self._commit_jobs.observe(jobs)
        self._commit_seconds.observe(seconds)

    def text(self, size: DatabaseSize) -> bytes:
        """Everything, as Prometheus reads it. Takes some milliseconds: for a thread."""
        self._database.set(size.used)
        self._empty.set(size.free)
        return generate_latest(self._registry)

    def _of_requests(self) -> Iterator[Metric]:
        seconds = HistogramMetricFamily(
            "tui_chat_request_seconds",
            "From a request's head to its answer; /v1/sync may wait on purpose",
            labels=("method", "endpoint"),
        )
        answered = list(self._answers.items())
        for names, answers in answered:
            seconds.add_metric(names, answers.seconds.buckets(), answers.seconds.total)
        yield seconds
        requests = CounterMetricFamily(
            "tui_chat_requests", "Requests answered", labels=("method", "endpoint", "status")
        )
        for names, answers in answered:
            for status, count in list(answers.statuses.items()):
                requests.add_metric((*names, str(status)), count)
        yield requests
        yield CounterMetricFamily("tui_chat_messages_sent", "Sends that were answered", value=self._messages)
        yield CounterMetricFamily("tui_chat_events", "Events written into users' logs", value=self._events)
        for name, words, spread in (
            ("tui_chat_commit_seconds", "One commit, with all its jobs", self._commit_seconds),
            ("tui_chat_commit_jobs", "Jobs that shared a commit", self._commit_jobs),
        ):
            yield HistogramMetricFamily(name, words, buckets=spread.buckets(), sum_value=spread.total)


class _Numbers(Collector):
    """What is counted as plain numbers, on the event loop's thread."""

    def __init__(self, read: Callable[[], Iterator[Metric]]) -> None:
        self._read = read

    def describe(self) -> list[Metric]:
        """Nothing: names are not checked for doubles."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read the numbers."""
        return self._read()


def _of_the_hub(hub: Hub) -> Iterator[Metric]:
    counts = hub.counts
    for name, words, value in (
        ("tui_chat_sockets", "Event sockets that are open", hub.size()),
        ("tui_chat_users_connected", "Users with an event socket", len(hub.users())),
        ("tui_chat_users_waiting", "Users with a request that waits for news", hub.waiting()),
    ):
        yield GaugeMetricFamily(name, words, value=value)
    for name, words, count in (
        ("tui_chat_socket_frames", "Frames with events that were handed to sockets", counts.frames),
        ("tui_chat_socket_queue_overflows", "Queues dropped; the socket read on from the log", counts.overflows),
        ("tui_chat_sockets_cut", "Sockets cut because their peer took nothing", counts.cut),
    ):
        yield CounterMetricFamily(name, words, value=count)


def _of_the_bus(exchange: Exchange) -> Iterator[Metric]:
    bus = exchange.bus
    for name, words, value in (
        ("tui_chat_bus_up", "Whether other processes are heard, and hear this one", int(bus.up)),
        ("tui_chat_processes", "Processes that serve the database, as far as is known", len(exchange.processes)),
    ):
        yield GaugeMetricFamily(name, words, value=value)
    for name, words, count in (
        ("tui_chat_bus_wakes_sent", "Users of whom the other processes were told", bus.counts.sent),
        ("tui_chat_bus_wakes_received", "Users of whom others told this process", bus.counts.received),
        ("tui_chat_bus_wakes_used", "Of these, users who were connected here", bus.counts.woken_here),
        ("tui_chat_bus_breaks", "How often the bus was lost", bus.counts.breaks),
        (
            "tui_chat_positions_missed",
            "Users of whom a comparison found that they had missed something",
            exchange.missed,
        ),
    ):
        yield CounterMetricFamily(name, words, value=count)
