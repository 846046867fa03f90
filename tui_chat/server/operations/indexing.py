"""Keeping signatures of what was said, in the background: sending a message does nothing for it.

Nothing is missed by that: each conversation knows how far it is indexed, and a search reads what comes after. A stretch
in which something was changed or taken away loses its signature in the same transaction, and is read by searches until
it has a new one.
"""

from itertools import accumulate, takewhile
from typing import Final, NamedTuple

from tui_chat.server.engines import Transaction

from .signatures import folded, signature_of

BLOCK_MESSAGES: Final = 64
"""The most messages of one block; so many are read where its signature says that a word may be there."""
BLOCK_CHARACTERS: Final = 8_192
MESSAGES: Final = 256
CHARACTERS: Final = 2 * BLOCK_CHARACTERS
"""What one call takes in at most, and one block more. With these a call takes about 5 ms (some 40 of Chinese that never
repeats itself), which is how long a message that is just being sent may have to wait for it."""
STALE: Final = 4
CONVERSATIONS: Final = 50
TAIL: Final = 16
"""A conversation is indexed once so many of its messages are not, or when it has been quiet for a while: the block at
its end is made anew each time."""
QUIET_MS: Final = 60_000
TEXT_TYPE: Final = 0
"""`message.type` of what can be found; tips, notices and what programs say to each other cannot."""
_CONVERSATION_BITS: Final = 32


class _Line(NamedTuple):
    """One message of a stretch."""

    seq: int
    time: int
    kind: int
    text: str | None


class _Budget:
    """What one call may still take in."""

    def __init__(self) -> None:
        self._messages = MESSAGES
        self._characters = CHARACTERS

    def spend(self, lines: list[_Line]) -> None:
        self._messages -= len(lines)
        self._characters -= sum(map(_length, lines))

    @property
    def is_spent(self) -> bool:
        return self._messages <= 0 or self._characters <= 0


def block_id(conversation: int, first_seq: int) -> int:
    """The key of a block."""
    return conversation << _CONVERSATION_BITS | first_seq


def advance(tx: Transaction) -> bool:
    """Index a bounded piece; whether there is more to do now."""
    budget = _Budget()
    stale = tx.all(
        "SELECT id, conversation, first_seq, last_seq FROM search_block WHERE signature IS NULL ORDER BY id LIMIT ?",
        STALE,
    )
    for key, conversation, first, last in stale:
        if budget.is_spent:
            return True
        tx.lock_conversations((conversation,))
        if tx.execute("DELETE FROM search_block WHERE id = ? AND signature IS NULL", key):
            lines = _lines(tx, conversation, first, last)
            _write(tx, conversation, lines)
            budget.spend(lines)
    due = tx.all(
        "SELECT id FROM conversation WHERE unindexed = 1"
        " AND (last_seq - indexed_through >= ? OR last_time <= ?) ORDER BY id LIMIT ?",
        TAIL,
        tx.now - QUIET_MS,
        CONVERSATIONS,
    )
    for (conversation,) in due:
        if budget.is_spent:
            return True
        _go_on(tx, conversation, budget)
    return len(stale) == STALE or len(due) == CONVERSATIONS or budget.is_spent


def changed(tx: Transaction, conversation: int, message_seq: int) -> None:
    """The text of a message is another one: nothing of the former one is kept."""
    tx.execute(
        "UPDATE search_block SET signature = NULL WHERE id > ? AND id <= ? AND last_seq >= ?",
        block_id(conversation, max(0, message_seq - BLOCK_MESSAGES)),
        block_id(conversation, message_seq),
        message_seq,
    )


def erased(tx: Transaction, conversation: int, until: int) -> None:
    """The texts of a conversation up to `until` are gone."""
    tx.execute(
        "DELETE FROM search_block WHERE id > ? AND id <= ? AND last_seq <= ?",
        block_id(conversation, 0),
        block_id(conversation, until),
        until,
    )
    changed(tx, conversation, until)


def _go_on(tx: Transaction, conversation: int, budget: _Budget) -> None:
    """Index what follows, one block after another, until nothing does or the budget is spent."""
    tx.lock_conversations((conversation,))
    row = tx.one("SELECT indexed_through, last_seq FROM conversation WHERE id = ?", conversation)
    assert row is not None
    through, last = row
    begun = tx.one(
        "SELECT id, first_seq FROM search_block WHERE id > ? AND id <= ? AND last_seq = ? ORDER BY id DESC LIMIT 1",
        block_id(conversation, max(0, through - BLOCK_MESSAGES)),
        block_id(conversation, through),
        through,
    )
    first = through + 1
    if begun is not None and through - begun[1] + 1 < BLOCK_MESSAGES:
        first = begun[1]
        tx.execute("DELETE FROM search_block WHERE id = ?", begun[0])
    # A block that was begun and has no room for the next message comes out as it was: one more, or nothing gets on.
    while first <= last and (first <= through + 1 or not budget.is_spent):
        block = _first_block(_lines(tx, conversation, first, last))
        _write(tx, conversation, block)
        budget.spend(block)
        first = block[-1].seq + 1
    tx.execute(
        "UPDATE conversation SET indexed_through = ?, unindexed = ? WHERE id = ?",
        first - 1,
        int(first <= last),
        conversation,
    )


def _lines(tx: Transaction, conversation: int, first: int, last: int) -> list[_Line]:
    """The messages of a stretch, and no more of them than a block has."""
    rows = tx.all(
        "SELECT seq, time, type, text FROM message WHERE conversation = ? AND seq >= ? AND seq <= ?"
        " ORDER BY seq LIMIT ?",
        conversation,
        first,
        last,
        BLOCK_MESSAGES,
    )
    return [_Line(*row) for row in rows]


def _first_block(lines: list[_Line]) -> list[_Line]:
    """As many as have room in a block, and at least one."""
    room = accumulate(map(_length, lines))
    return lines[: max(1, sum(1 for _ in takewhile(lambda characters: characters <= BLOCK_CHARACTERS, room)))]


def _length(line: _Line) -> int:
    return len(line.text or "")


def _write(tx: Transaction, conversation: int, lines: list[_Line]) -> None:
    """Write one block, unless there is nothing in it to be found."""
    texts = [folded(line.text) for line in lines if line.text and line.kind == TEXT_TYPE]
    if texts:
        times = [line.time for line in lines]
        tx.execute(
            "INSERT INTO search_block (id, conversation, first_seq, last_seq, first_time, last_time, signature)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            block_id(conversation, lines[0].seq),
            conversation,
            lines[0].seq,
            lines[-1].seq,
            min(times),
            max(times),
            signature_of(texts),
        )
