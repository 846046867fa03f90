"""The packaged conversations as they are stored: one gzip'd file of JSON lines. Made by assets/make_demo_excerpt.py.

The first line is a `Head`; each other line is a `Talk`, the newest first. Where they come from stands in data/NOTICE.
"""

import gzip
import re
from importlib.resources import files
from itertools import accumulate
from typing import Final, Literal

import msgspec

ALICE: Final = "alice"
"""Whose mailbox it is: the person at the demo."""
FORMAT: Final = 1
DEPARTED_AFTER: Final = 3_600_000
"""Milliseconds after the last message of a group at which alice went out of it, or the group out of the world."""
_NAMED: Final = re.compile(rf"(?<![\w\-]){ALICE}(?![\w\-])", re.IGNORECASE)


class Person(msgspec.Struct, frozen=True):
    """A user; `nick` only where what was written in the channel is no userID."""

    user_id: str
    nick: str | None = None


class Answers(msgspec.Struct, frozen=True):
    """Short lines that fit as an answer to nearly anything."""

    english: list[str]
    chinese: list[str]


class Line(msgspec.Struct, frozen=True, array_like=True):
    """What is said while the demo runs: who (a number in the list of users), and what."""

    sender: int
    text: str


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation of alice's, with a group or with one person. The three lists are equally long."""

    group: str | None = None
    """The groupID, in a group."""
    name: str | None = None
    """The group's name."""
    partner: int | None = msgspec.field(default=None, name="with")
    """Number of the other user, one-to-one."""
    unread: int = 0
    """How many of the newest messages alice has not read."""
    pinned: bool = False
    muted: bool = False
    ended: Literal["", "left", "kicked", "dismissed"] = ""
    """How alice's membership ended, after the last message."""
    chinese: bool = False
    at: list[int]
    """Seconds: the first before now (negative), each other one after the one before."""
    senders: list[int] = msgspec.field(name="from")
    """Numbers of users."""
    text: list[str]
    live: list[Line] = []
    """What goes on being said."""

    def times(self, now: int) -> list[int]:
        """When each message was sent, in milliseconds since 1970, seen from `now` (ms)."""
        return [now + 1000 * seconds for seconds in accumulate(self.at)]


class Head(msgspec.Struct, frozen=True):
    """What belongs to all of it."""

    format: int
    users: list[list[str]]
    """[userID] or [userID, nick]; the first is alice."""
    answers: Answers
    conversations: int
    messages: int


class Excerpt(msgspec.Struct, frozen=True):
    """The whole of it."""

    people: list[Person]
    answers: Answers
    talks: list[Talk]


def load() -> Excerpt:
    """Read the packaged file; takes some hundredths of a second.

    Raises:
        msgspec.ValidationError, ValueError: the package is damaged.
    """
    return parse(files(__package__).joinpath("data", "excerpt.jsonl.gz").read_bytes())


def parse(data: bytes) -> Excerpt:
    """What stands in such a file.

    Raises:
        msgspec.ValidationError: a line is not of the form above.
        ValueError: it is of another format, or cut short.
    """
    first, *lines = gzip.decompress(data).splitlines()
    head = msgspec.json.decode(first, type=Head)
    if head.format != FORMAT:
        raise ValueError(f"the excerpt has format {head.format}, not {FORMAT}")
    decoder = msgspec.json.Decoder(Talk)
    talks = [decoder.decode(line) for line in lines]
    if len(talks) != head.conversations or sum(len(talk.text) for talk in talks) != head.messages:
        raise ValueError("the excerpt is cut short")
    return Excerpt([Person(*names) for names in head.users], head.answers, talks)


def mentions_alice(text: str) -> bool:
    """Whether a line in a group is about or to alice."""
    return _NAMED.search(text) is not None
