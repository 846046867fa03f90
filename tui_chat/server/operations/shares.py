"""What the live calls of deletions set of the watermarks, and which pins they took: a row for each call.

A call takes up to a hundred conversations, and undo, settling and the log take a call as a whole. Measured on SQLite: a
row for each conversation, with an index by call, took as long as moving a third of their watermarks.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from tui_chat.server.engines import Row, Transaction


class Share(NamedTuple):
    """What a call set in one conversation."""

    operation: int
    hidden: int
    cleared: int
    pin_version: int | None
    """Where it took the pin: the version since which nobody else decided about it."""


class _Packed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The column `share.shares`."""

    conversations: list[int]
    seen: list[int]
    pins: dict[int, int]


class Shares(msgspec.Struct, frozen=True, gc=False):
    """What a call set: a row of the table."""

    batch: int
    operation: int
    part: int
    hides: bool
    clears: bool
    conversations: list[int]
    """Their keys, ascending."""
    seen: list[int]
    """Up to which message each of them was hidden, cleared, or both."""
    pins: dict[int, int]
    """Share.pin_version of each pin that it took, by conversation."""

    def each(self) -> Iterator[tuple[int, Share]]:
        """Its shares, by conversation."""
        for conversation, seen in zip(self.conversations, self.seen, strict=True):
            hidden, cleared = seen if self.hides else 0, seen if self.clears else 0
            yield conversation, Share(self.operation, hidden, cleared, self.pins.get(conversation))


_READ: Final = "SELECT batch, operation, part, hides, clears, shares FROM share WHERE account = ?"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Packed).decode


def _packed(conversations: list[int], seen: list[int], pins: dict[int, int]) -> str:
    return _encode(_Packed(conversations, seen, pins)).decode()


def _unpacked(rows: Iterable[Row]) -> list[Shares]:
    """Rows of _READ, in the order in which their calls came."""
    found = []
    for batch, operation, part, hides, clears, shares in rows:
        packed = _decode(shares)
        found.append(
            Shares(batch, operation, part, hides == 1, clears == 1, packed.conversations, packed.seen, packed.pins)
        )
    return sorted(found, key=_age)


def _age(one: Shares) -> tuple[int, int]:
    return one.operation, one.part


def save_shares(
    tx: Transaction,
    account: int,
    batch: int,
    operation: int,
    conversations: list[int],
    seen: list[int],
    pins: dict[int, int],
    *,
    hides: bool,
    clears: bool,
) -> None:
    """Write what a call set: conversations, in any order; up to which message each of them; and Shares.pins."""
    ordered = sorted(conversations)
    if ordered != conversations:
        of = dict(zip(conversations, seen, strict=True))
        seen = [of[conversation] for conversation in ordered]
    tx.later(
        "INSERT INTO share (account, batch, operation, part, hides, clears, pins, shares)"
        " VALUES (?, ?, ?, 0, ?, ?, ?, ?)",
        account,
        batch,
        operation,
        int(hides),
        int(clears),
        len(pins),
        _packed(ordered, seen, pins),
    )


def live_shares(tx: Transaction, account: int) -> list[Shares]:
    """What all live calls of a user set, in the order in which they came."""
    return _unpacked(tx.all(_READ, account))


def shares_of(tx: Transaction, account: int, batches: Collection[int]) -> list[Shares]:
    """What the live calls of some of a user's batches set, in the order in which they came."""
    return _unpacked(tx.in_list(f"{_READ} AND batch IN (?*)", sorted(batches), account))


def shares_with_pins(tx: Transaction, account: int, before: int) -> list[Shares]:
    """What those live calls of a user set that came before this operation and took a pin."""
    return _unpacked(tx.all(f"{_READ} AND operation < ? AND pins > 0", account, before))


def save_shares_pins(tx: Transaction, account: int, changed: Sequence[tuple[Shares, dict[int, int]]]) -> None:
    """Write which pins calls have taken, instead of those that they had."""
    tx.many(
        "UPDATE share SET pins = ?, shares = ? WHERE account = ? AND batch = ? AND operation = ? AND part = ?",
        [
            (len(pins), _packed(one.conversations, one.seen, pins), account, one.batch, one.operation, one.part)
            for one, pins in changed
        ],
    )


def forget_shares(tx: Transaction, account: int, operations: Mapping[int, int]) -> None:
    """Calls (operation -> its batch) are live no more."""
    tx.many(
        "DELETE FROM share WHERE account = ? AND batch = ? AND operation = ?",
        [(account, batch, operation) for operation, batch in operations.items()],
    )


def count_ended(shares: Sequence[Shares], ended: Collection[int]) -> dict[int, int]:
    """How many conversations each of these calls counts for, which are live no more; `shares`: of all live calls of
    their batches, and their own.

    What two calls of a batch took is one conversation for the log, whose entry keeps no IDs: the last one counts.
    """
    named: dict[int, set[int]] = {}
    for one in shares:
        if one.operation not in ended:
            named.setdefault(one.batch, set()).update(one.conversations)
    counted = dict.fromkeys(ended, 0)
    for one in shares:
        if one.operation in ended:
            there = named.setdefault(one.batch, set())
            before = len(there)
            there.update(one.conversations)
            counted[one.operation] += len(there) - before
    return counted
