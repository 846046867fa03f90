"""Structured logs: one line a record, harmless on a terminal, never in the way."""

import io
import json
import logging
import threading
import time
from pathlib import Path

import pytest

from tests.accounts import DEADLINE, People
from tests.servers import LiveServer
from tui_chat.server import logs
from tui_chat.server.logs import JSONLines, Lines, logging_to

NASTY = "bob\x1b]0;owned\x07\n\u202egnp.exe\x9b31m"


def record(message: str, **facts: object) -> logging.LogRecord:
    made = logging.LogRecord("tui_chat.x", logging.WARNING, __file__, 1, message, None, None)
    made.created = 1_760_000_000.123
    made.facts = facts
    return made


def test_for_people_it_is_one_harmless_line() -> None:
    line = Lines().format(record(NASTY, name=NASTY, count=3))
    assert line.startswith("2025-10-09T08:53:20.123Z warning tui_chat.x: bob")
    assert line.endswith("count=3")
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in line)
    assert "\u202e" not in line


def test_for_programs_it_is_json_with_the_facts_as_fields() -> None:
    line = JSONLines().format(record(NASTY, name=NASTY, count=3))
    assert line.isascii()
    assert "\n" not in line
    read = json.loads(line)
    assert (read["level"], read["logger"], read["count"]) == ("warning", "tui_chat.x", 3)
    assert "\x1b" not in read["message"] + read["name"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_is_kept_and_harmless(form: logs.Format) -> None:
    stream = io.StringIO()
    with logging_to(stream, form=form):
        try:
            raise ValueError(NASTY)
        except ValueError:
            logging.getLogger("tui_chat.x").exception("it failed")
    text = stream.getvalue()
    assert "ValueError" in text
    assert "\x1b" not in text
    assert len(text.splitlines()) == 1 or form == "text"


def test_levels_and_other_peoples_talk() -> None:
    stream = io.StringIO()
    with logging_to(stream, level="info"):
        logging.getLogger("tui_chat.x").debug("too fine")
        logging.getLogger("uvicorn.error").info("Started server process")
        logging.getLogger("uvicorn.error").warning("worth telling")
        logging.getLogger("tui_chat.x").info("told")
    assert [line.partition(": ")[2] for line in stream.getvalue().splitlines()] == ["worth telling", "told"]
    assert logging.getLogger("uvicorn").level == logging.NOTSET


class Stuck(io.StringIO):
    """A terminal that was stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.reached = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        assert self.go_on.wait(DEADLINE)
        return super().write(text)


def test_a_terminal_that_was_stopped_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LINES_WAITING_MOST", 10)
    stream = Stuck()
    log = logging.getLogger("tui_chat.x")
    with logging_to(stream):
        log.info("first")
        assert stream.reached.wait(DEADLINE)
        for number in range(30):
            log.info("line %d", number)
        stream.go_on.set()
        end = time.monotonic() + DEADLINE
        while "line 9" not in stream.getvalue() and time.monotonic() < end:
            time.sleep(0.005)
        log.info("last")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 13
    assert lines[-2].endswith("20 lines were dropped, because nobody took them")
    assert lines[-1].endswith("last")


def test_each_request_is_a_line_without_what_it_was_about(tmp_path: Path) -> None:
    stream = io.StringIO()
    with logging_to(stream, form="json"):
        live = LiveServer(tmp_path / "server", access_log=True)
        people = People(live.url)
        try:
            bob, alice = people.register("bob-of-the-log"), people.register("alice-of-the-log")
            alice.send("C2Cbob-of-the-log", "the body of it")
            people.http.get("/v1/users", params={"q": "searched-for"})
            alice.get("/v1/users", q="searched-for")
        finally:
            people.close()
            live.stop()
    text = "\n".join(line for line in stream.getvalue().splitlines() if '"logger": "httpx"' not in line)
    lines = [json.loads(line) for line in text.splitlines()]
    sent = next(line for line in lines if line.get("endpoint", "").endswith("/messages"))
    assert sent["method"] == "POST"
    assert sent["status"] == 200
    assert sent["address"] == "127.0.0.1"
    assert sent["device"] == alice.device_id
    assert sent["ms"] > 0
    refused = next(line for line in lines if line.get("status") == 401)
    assert (refused["endpoint"], refused["error"]) == ("/v1/users", "unauthorized")
    for secret in ("of-the-log", "the body", "searched-for", alice.access_token, bob.refresh_token):
        assert secret not in text
    assert [line["message"] for line in lines if "endpoint" not in line] == ["listening"]


def test_without_being_asked_no_request_is_logged(
    server: LiveServer, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        people.register("alice")
    assert [record for record in caplog.records if record.name.startswith("tui_chat")] == []
