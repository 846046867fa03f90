"""`watch`: what changes is a line each, for as long as one looks."""

import threading
import time
from collections.abc import Callable

import pytest

from tests.accounts import DEADLINE, Device, People
from tests.cli.conftest import Run
from tui_chat.cli import main

PASSWORD = "correct horse"


@pytest.fixture
def bob(accounts: Run, people: People) -> Device:
    return people.login("bob", password=PASSWORD)


@pytest.fixture
def watched(
    accounts: Run, bob: Device, people: People, capsys: pytest.CaptureFixture[str]
) -> Callable[[Callable[[], None]], list[str]]:
    """What alice's `watch` prints of what happens, until it is signed out."""

    def watch(happen: Callable[[], None]) -> list[str]:
        said, codes = "", list[int]()
        alice = people.login("alice", password=PASSWORD)
        watching = threading.Thread(target=lambda: codes.append(main(["watch"])))
        watching.start()
        end = time.monotonic() + DEADLINE
        while "there?" not in said and time.monotonic() < end:
            bob.send("C2Calice", "there?")
            time.sleep(0.02)
            said += capsys.readouterr().out
        happen()
        last = bob.send("C2Calice", "the last")["text"]
        while last not in said and time.monotonic() < end:
            time.sleep(0.01)
            said += capsys.readouterr().out
        for device in alice.get("/v1/devices")["devices"]:
            if not device["current"]:
                alice.remove(f"/v1/devices/{device['deviceID']}")
        watching.join(DEADLINE)
        assert codes == [3]
        return [line for line in said.splitlines() if "there?" not in line and last not in line]

    return watch


def test_what_was_edited_or_taken_back_is_said_as_the_screen_does(
    bob: Device, watched: Callable[[Callable[[], None]], list[str]]
) -> None:
    before = bob.send("C2Calice", "erlier")["messageSeq"]
    bob.patch(f"/v1/conversations/C2Calice/messages/{before}", {"text": "earlier"})
    bob.send("C2Calice", "in between")

    def happen() -> None:
        message = f"/v1/conversations/C2Calice/messages/{bob.send('C2Calice', 'helo')['messageSeq']}"
        bob.patch(message, {"text": "hello"})
        for one in (message, f"/v1/conversations/C2Calice/messages/{before}"):
            assert bob.request("PUT", f"{one}/reactions/👍").status_code == 200
        bob.patch(message, {"text": "hello!"})
        bob.remove(message)

    assert watched(happen) == [
        "C2Cbob: bob: helo",
        "C2Cbob: bob: hello (edited)",
        "C2Cbob: bob: hello! (edited)",
        "C2Cbob: bob: (message taken back)",
    ]
