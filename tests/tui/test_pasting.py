"""What is pasted is text: no part of it presses a key."""

import asyncio
import os

from textual import events
from textual.message import Message

from tests.tui.apps import running, until
from tests.tui.fake import FakeSession
from tui_chat.tui.pasting import BEGIN, END, PasteDriver, PasteParser

HOSTILE = "one\x1b[0m two\r\x1b\r\x11\x07\n\t\x1b[200~three\x9b0m\x7f\x1b"
HARMLESS = "one[0m two\r\r\n\t[200~three0m"


def told(parts: list[str]) -> list[object]:
    """The events of what is read in these parts; keys by name, pastes by their text."""
    parser = PasteParser()
    found = [event for part in parts for event in parser.feed(part)]
    return [event.key if isinstance(event, events.Key) else getattr(event, "text", event) for event in found]


def test_nothing_in_a_paste_is_a_key() -> None:
    assert told(["a" + BEGIN + HOSTILE + END + "b\r"]) == ["a", HARMLESS, "b", "enter"]


def test_nor_where_it_comes_in_pieces() -> None:
    whole = "a" + BEGIN + HOSTILE + END + "b"
    for cut in range(1, len(whole)):
        assert told([whole[:cut], whole[cut:]]) == ["a", HARMLESS, "b"], repr(whole[:cut])
    assert told(list(whole)) == ["a", HARMLESS, "b"]


def test_keys_are_what_they_were() -> None:
    assert told(["\x1b[A\x1b[1;2B\x11", "x"]) == ["up", "shift+down", "ctrl+q", "x"]
    assert told([BEGIN + END, "\x1b[5~"]) == ["", "pageup"]


async def test_the_screen_reads_a_terminal_with_it() -> None:
    async with running(FakeSession()) as (app, _pilot):
        assert app.get_driver_class() is PasteDriver


async def test_bytes_that_are_no_text_do_not_end_the_program() -> None:
    read, write = os.pipe()
    async with running(FakeSession()) as (app, _pilot):
        found: list[Message] = []

        class Driver(PasteDriver):
            def process_message(self, message: Message) -> None:
                found.append(message)

        driver = Driver(app)
        driver.fileno = read
        reading = asyncio.create_task(asyncio.to_thread(driver.run_input_thread))
        os.write(write, b"a\xff\xc3b")
        await until(lambda: len(found) == 4 or reading.done())
        driver.exit_event.set()
        await reading
    os.close(read)
    os.close(write)
    assert [one.character for one in found if isinstance(one, events.Key)] == ["a", "\ufffd", "\ufffd", "b"]
