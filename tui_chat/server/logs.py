"""Structured logs: one line a record, as JSON or for people; no bodies, no tokens, nothing that a terminal would obey.

Lines are written by a thread of their own: a terminal that was stopped, or a full pipe, must not stop the server.
"""

import json
import logging
import logging.handlers
import queue
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

from tui_chat.protocol.text import clean_name, clean_text

Format = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]

LINES_WAITING_MOST: Final = 10_000
"""More are dropped, and counted."""
QUIET: Final = ("uvicorn", "websockets", "asyncio")
"""Loggers whose everyday talk is of no use to an operator."""


@contextmanager
def logging_to(stream: TextIO | None = None, *, form: Format = "text", level: Level = "info") -> Iterator[None]:
    """Send everything that this process logs to `stream` (standard error), for as long as the context lasts."""
    lines: queue.Queue[logging.LogRecord] = queue.Queue(LINES_WAITING_MOST)
    handler = _Queued(lines)
    handler.setFormatter(JSONLines() if form == "json" else Lines())
    writer = logging.handlers.QueueListener(lines, logging.StreamHandler(stream or sys.stderr))
    root = logging.getLogger()
    before = root.level, {name: logging.getLogger(name).level for name in QUIET}
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    writer.start()
    try:
        yield
    finally:
        root.removeHandler(handler)
        writer.stop()
        root.setLevel(before[0])
        for name, was in before[1].items():
            logging.getLogger(name).setLevel(was)


class Lines(logging.Formatter):
    """For people: time, level, logger, words, `name=value`; the lines of a traceback are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        words = " ".join(
            [
                _time(record),
                f"{record.levelname.lower():<7}",
                f"{record.name}:",
                clean_name(record.getMessage()),
                *(f"{name}={_value(value)}" for name, value in _facts(record).items()),
            ]
        )
        trace = _trace(self, record)
        return words if trace is None else words + "".join(f"\n    {line}" for line in trace.split("\n"))


class JSONLines(logging.Formatter):
    """For programs: one object a line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": clean_name(record.getMessage()),
            **_facts(record),
        }
        trace = _trace(self, record)
        return json.dumps(line if trace is None else line | {"trace": trace}, default=str)


class _Queued(logging.handlers.QueueHandler):
    """Hands finished lines to the writing thread, or drops them where that has stopped."""

    def __init__(self, lines: "queue.Queue[logging.LogRecord]") -> None:
        super().__init__(lines)
        self._lines = lines
        self._dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Never waits."""
        try:
            if self._dropped:
                self._lines.put_nowait(self._gap(record))
                self._dropped = 0
            self._lines.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def _gap(self, record: logging.LogRecord) -> logging.LogRecord:
        words = f"{self._dropped} lines were dropped, because nobody took them"
        gap = logging.LogRecord(__name__, logging.WARNING, "", 0, words, None, None)
        gap.created = record.created
        prepared: logging.LogRecord = self.prepare(gap)
        return prepared


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _facts(record: logging.LogRecord) -> Mapping[str, Any]:
    """What was logged with `extra={"facts": {…}}`; text in it is made harmless."""
    facts: Mapping[str, Any] = getattr(record, "facts", {})
    return {name: clean_name(value) if isinstance(value, str) else value for name, value in facts.items()}


def _value(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str | None:
    if not record.exc_info or record.exc_info[0] is None:
        return None
    return clean_text(formatter.formatException(record.exc_info))
