"""How far a user's sides of conversations are hidden, cleared and read, and what of it follows: reading and moving it.

Deleting, clearing and undoing move these numbers and look at nothing else of a side, often for thousands of them.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple, Protocol

import msgspec

from tui_chat.protocol.ids import fold
from tui_chat.server.engines import Transaction


class Standing(Protocol):
    """What counting needs to know of a side, as its row stands in the database."""

    @property
    def conversation(self) -> int:
        """The conversation's key."""

    @property
    def newest(self) -> int:
        """The newest message that the user could ever see, cleared or not."""

    @property
    def newest_count(self) -> int:
        """How many countable messages there are up to it."""

    @property
    def floor(self) -> int:
        """Nothing up to here is unread."""

    @property
    def floor_count(self) -> int:
        """How many countable messages there are up to the floor."""

    @property
    def mention_count(self) -> int:
        """Unread mentions of the user."""


class Marks(NamedTuple):
    """Some of a user's sides, a list for each column, all in the same order."""

    folded: list[str]
    """Their conversationIDs as they are compared."""
    conversations: list[int]
    """Their conversations' keys."""
    conversation_ids: list[str]
    newest: list[int]
    """The newest message that the user could ever see, cleared or not."""
    hidden: list[int]
    cleared: list[int]
    pinned: list[int]
    pin_versions: list[int]


class SideMarks(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is to be known of one side to move its watermarks and what follows from them, in the order of _SIDE."""

    conversation: int
    newest: int
    newest_count: int
    hidden: int
    cleared: int
    read_seq: int
    floor_count: int
    mention_count: int
    pin_version: int
    hidden_settled: int
    cleared_settled: int

    @property
    def floor(self) -> int:
        """Nothing up to here is unread."""
        return max(self.read_seq, self.hidden, self.cleared)


_MARKS: Final = (
    "s.conversation",
    "s.conversation_id",
    "COALESCE(s.leave_seq, c.last_seq)",
    "s.hidden",
    "s.cleared",
    "s.pinned",
    "s.pin_version",
)
_SIDE: Final = (
    "s.conversation, COALESCE(s.leave_seq, c.last_seq), COALESCE(s.leave_count, c.last_count), s.hidden, s.cleared,"
    " s.read_seq, s.floor_count, s.mention_count, s.pin_version, s.hidden_settled, s.cleared_settled"
)
_FROM: Final = (
    " FROM (VALUES ?**) v CROSS JOIN state s JOIN conversation c ON c.id = s.conversation WHERE s.account = ?"
)
"""CROSS: each row of the list is looked up, in this order. By `IN`, SQLite reads all sides of the user instead, of whom
it thinks that they have ten (measured with 10,000: 3.0 ms for a hundred, instead of 0.25)."""
_BY_NAME: Final = f"{_FROM} AND s.folded = v.column1"
_BY_KEY: Final = f"{_FROM} AND s.conversation = v.column1"


def marks(tx: Transaction, account: int, folded: list[str]) -> Marks:
    """Those of a user's sides that have these folded conversationIDs, no two of which are the same; in their order."""
    columns = tx.columns(_MARKS, _BY_NAME, folded, account)
    names = fold("\n".join(columns[1]))  # All in one go; none has a newline.
    if names != "\n".join(folded):
        # Not all are there, or the database had another order.
        found = names.split("\n") if names else []
        places = {name: place for place, name in enumerate(found)}
        folded = [name for name in folded if name in places]
        columns = [[column[places[name]] for name in folded] for column in columns]
    return Marks(folded, *columns)


def marks_by_key(tx: Transaction, account: int, conversations: Sequence[int]) -> dict[int, SideMarks]:
    """Those of a user's sides that are of these conversations, by their keys."""
    found = tx.structs(SideMarks, _SIDE, _BY_KEY, conversations, account)
    return {one.conversation: one for one in found}


def counts(tx: Transaction, account: int, floors: Sequence[tuple[Standing, int]]) -> list[tuple[int, int]]:
    """`floor_count` and `mention_count` of each side of a user where nothing up to its new floor is unread."""
    found: list[tuple[int, int]] = []
    within: list[tuple[int, int]] = []
    """(conversation, floor): its count is that of a message in the middle."""
    mentioned: list[tuple[int, int]] = []
    for before, floor in floors:
        if floor >= before.newest:
            found.append((before.newest_count, 0))
        elif floor == (present := before.floor):
            found.append((before.floor_count, before.mention_count))
        else:
            within.append((before.conversation, floor))
            if before.mention_count or floor < present:
                mentioned.append((before.conversation, floor))
            found.append(_TO_BE_ASKED)
    if within:
        so_far: dict[int, int] = dict(tx.for_rows(_SO_FAR, within))
        mentions: dict[int, int] = dict(tx.for_rows(_MENTIONS, mentioned, account))
        for index, (before, _) in enumerate(floors):
            if found[index] is _TO_BE_ASKED:
                found[index] = (so_far.get(before.conversation, 0), mentions.get(before.conversation, 0))
    return found


_TO_BE_ASKED: Final = (-1, -1)
# CROSS: each row looks up what it names, in this order.
_SO_FAR: Final = (
    "SELECT m.conversation, m.count FROM (VALUES ?**) v CROSS JOIN message m"
    " WHERE m.conversation = v.column1 AND m.seq = v.column2"
)
_MENTIONS: Final = (
    "SELECT n.conversation, COUNT(*) FROM (VALUES ?**) v CROSS JOIN mention n"
    " WHERE n.account = ? AND n.conversation = v.column1 AND n.seq > v.column2 GROUP BY n.conversation"
)


def save_marks(tx: Transaction, account: int, rows: Sequence[tuple[int, int, int, int, int]]) -> None:
    """Write of a user's sides: (conversation, hidden, cleared, floor_count, mention_count)."""
    tx.change_rows(
        "UPDATE state SET hidden = v.column2, cleared = v.column3, floor_count = v.column4, mention_count = v.column5"
        " FROM (VALUES ?**) v WHERE state.account = ? AND state.conversation = v.column1",
        rows,
        account,
    )


# The newest message that the user could ever see, and how many countable ones there are up to it.
_NEWEST: Final = "COALESCE(state.leave_seq, c.last_seq)"
_NEWEST_COUNT: Final = "COALESCE(state.leave_count, c.last_count)"


def take_whole(tx: Transaction, account: int, conversations: Sequence[int], *, hides: bool, clears: bool) -> None:
    """Hide, clear, or both, some of a user's conversations up to their newest messages.

    None of these is another one than was read before in this transaction, since the user was locked: whoever writes a
    message locks everybody in its conversation. So the database can look them up, which takes it two thirds of the time
    of `save_marks`: it changes each row where it finds it, instead of finding all of them first.
    """
    tx.change_list(_taking_whole(hides, clears), conversations, account)


@cache
def _taking_whole(hides: bool, clears: bool) -> str:
    moved = [name for name, moves in (("hidden", hides), ("cleared", clears)) if moves]
    return (
        f"UPDATE state SET ({', '.join(moved)}, floor_count) ="  # noqa: S608 - one of a few names
        f" (SELECT {', '.join([_NEWEST] * len(moved))}, {_NEWEST_COUNT} FROM conversation c"
        " WHERE c.id = state.conversation), mention_count = 0 WHERE account = ? AND conversation IN (?*)"
    )


def save_pins(tx: Transaction, account: int, rows: Sequence[tuple[int, int, int]]) -> None:
    """Write of a user's sides: (conversation, pinned, pin_version)."""
    tx.change_rows(
        "UPDATE state SET pinned = v.column2, pin_version = v.column3"
        " FROM (VALUES ?**) v WHERE state.account = ? AND state.conversation = v.column1",
        rows,
        account,
    )
