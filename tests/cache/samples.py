"""Rows and messages for tests, and what happens to caches."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from tui_chat.cache.account import AccountCache
from tui_chat.cache.store import HistoryStore
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, LastMessage, Message


def row(number: int, *, time: int | None = None, text: str = "hello", pinned: bool = False) -> Conversation:
    """A one-to-one conversation with user `number`."""
    return Conversation(
        conversation_id=f"C2Cuser{number}",
        type=ConversationType.C2C,
        name=f"User {number}",
        last_message=LastMessage(message_seq=3, sender=f"user{number}", time=time or number, text=text),
        message_count=3,
        newest_seq=3,
        time=time or number,
        pinned=pinned,
    )


def message(conversation_id: str, seq: int, *, text: str | None = None, version: int = 1) -> Message:
    """A text message."""
    return Message(
        conversation_id=conversation_id,
        message_seq=seq,
        client_id=f"client-{seq}",
        version=version,
        sender="bob",
        time=1_700_000_000_000 + seq,
        text=f"message {seq}" if text is None else text,
    )


def messages(conversation_id: str, first: int, last: int) -> list[Message]:
    """Messages of these numbers, both inclusive."""
    return [message(conversation_id, seq) for seq in range(first, last + 1)]


def seqs(found: list[Message]) -> list[int]:
    """Their numbers."""
    return [each.message_seq for each in found]


def span(history: HistoryStore, conversation_id: str) -> tuple[int, int] | None:
    """The first and the last of the newest messages without a hole; None where nothing is held."""
    found = history.tail(conversation_id, 100_000)
    return (found[0].message_seq, found[-1].message_seq) if found else None


def every_byte(directory: Path) -> bytes:
    """All that stands in a directory's files, names included."""
    return b"\n".join(
        str(path.relative_to(directory)).encode() + b"\n" + path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    )


def abandon(cache: AccountCache) -> None:
    """Leave a cache as a killed process would: nothing is written any more, only the system lets go of the lock."""
    cache._lock.release()


class HeldUp(NamedTuple):
    """A rewriting on its way: it has begun to write, and may go on."""

    writing: threading.Event
    go_on: threading.Event


@contextmanager
def rewriting_held_up(cache: AccountCache) -> Iterator[HeldUp]:
    """Whoever rewrites the account's file waits, before the first byte, until it may go on."""
    held_up = HeldUp(threading.Event(), threading.Event())
    file = cache._storage._file
    write = file._write_image

    def slowly(image: bytes, suffix: str) -> None:
        held_up.writing.set()
        assert held_up.go_on.wait(10)
        write(image, suffix)

    with mock.patch.object(file, "_write_image", slowly):
        yield held_up
