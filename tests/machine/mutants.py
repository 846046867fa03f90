"""Rules broken on purpose, one at a time, in this process only: the machine must notice each."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from unittest import mock

import msgspec

from tui_chat.cache.memory import MemoryAccount, MemoryHistory
from tui_chat.client import changes, core, deleting, outbox, sync
from tui_chat.client import state as client_state
from tui_chat.client.announcer import Announcer
from tui_chat.client.catch_up import CatchUp
from tui_chat.client.changes import DraftKept
from tui_chat.client.doubt import Doubt
from tui_chat.client.echoes import Echoes
from tui_chat.client.entries import AnyEntry, QueuedDeletion
from tui_chat.client.inquiry import Inquiry
from tui_chat.client.outbox import Outbox
from tui_chat.client.pages import Pages
from tui_chat.client.queueing import Phase, Queue
from tui_chat.client.receiver import Receiver
from tui_chat.client.state import State
from tui_chat.protocol.errors import NotConnected
from tui_chat.protocol.events import EventRange
from tui_chat.protocol.ids import new_identifier
from tui_chat.server import request
from tui_chat.server.operations import conversations, deletion, expiry, history, letters, settling, state, undo

from .disk import identifier_of


class Mutant(NamedTuple):
    """What is broken, and where: (owner, name of the attribute, what takes its place given what stood there)."""

    name: str
    places: Sequence[tuple[Any, str, Callable[[Any], Any]]]

    def plant(self) -> "Planted":
        """Break it for as long as the context lasts."""
        return Planted(self)


class Planted:
    """A context in which a rule is broken."""

    def __init__(self, mutant: Mutant):
        self._patches = [
            mock.patch.object(owner, name, replacement(getattr(owner, name)))
            for owner, name, replacement in mutant.places
        ]

    def __enter__(self) -> None:
        for patch in self._patches:
            patch.start()

    def __exit__(self, *_: object) -> None:
        for patch in self._patches:
            patch.stop()


# On the server


def _and_reads(save: Any) -> Any:
    def saved(tx: Any, account: int, rows: Sequence[tuple[int, ...]]) -> None:
        save(tx, account, rows)
        tx.many(
            "UPDATE state SET read_seq = hidden WHERE account = ? AND conversation = ? AND read_seq < hidden",
            [(account, row[0]) for row in rows],
        )

    return saved


def _and_reads_whole(take: Any) -> Any:
    def taken(tx: Any, account: int, conversations: Sequence[int], *, hides: bool, clears: bool) -> None:
        take(tx, account, conversations, hides=hides, clears=clears)
        tx.many(
            "UPDATE state SET read_seq = hidden WHERE account = ? AND conversation = ? AND read_seq < hidden",
            [(account, key) for key in conversations],
        )

    return taken


def _without_counting(take: Any) -> Any:
    def taken(tx: Any, account: int, conversations: Sequence[int], *, hides: bool, clears: bool) -> None:
        query = "SELECT floor_count, mention_count, conversation FROM state WHERE account = ?"
        before = [row for row in tx.all(query, account) if row[2] in conversations]
        take(tx, account, conversations, hides=hides, clears=clears)
        tx.many(
            "UPDATE state SET floor_count = ?, mention_count = ? WHERE conversation = ? AND account = ?",
            [(*row, account) for row in before],
        )

    return taken


def _and_later_ones(withdraw: Any) -> Any:
    def withdrawn(tx: Any, caller: Any, live: Sequence[Any], operations: Sequence[int]) -> Any:
        later = {one.operation for one in live if one.operation > max(operations)}
        return withdraw(tx, caller, live, [*operations, *later])

    return withdrawn


def _without_settling(fold: Any) -> Any:
    def folded(tx: Any, account: int, operations: Mapping[int, int]) -> None:
        before = tx.all("SELECT hidden_settled, cleared_settled, conversation FROM state WHERE account = ?", account)
        fold(tx, account, operations)
        tx.many(
            "UPDATE state SET hidden_settled = ?, cleared_settled = ? WHERE conversation = ? AND account = ?",
            [(*row, account) for row in before],
        )

    return folded


def _without_looking(_: Any) -> Any:
    def once(tx: Any, caller: Any, what: str, operation_id: str | None, body: Any, answer: Any, carry_out: Any) -> Any:
        return carry_out(operation_id or new_identifier())

    return once


def _to_everybody(tell: Any) -> Any:
    return lambda tx, caller, told, *, only=None: tell(tx, caller, told)


def _to_the_caller(tell: Any) -> Any:
    return lambda tx, caller, told, *, only=None: tell(tx, caller, told, only=caller)


def _whenever_it_took_one(_: Any) -> Any:
    return lambda before, items, left, undone, passed_on: any(
        item.pin_version is not None for item in items if item.operation in undone
    )


# On the client


class _At(NamedTuple):
    """A state as it is, but for its position."""

    view: Any
    position: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.view, name)


def _over_gaps(reduce: Any) -> Any:
    def reduced(view: Any, received: EventRange) -> Any:
        done = reduce(view, received)
        return reduce(_At(view, received.first - 1), received) if isinstance(done, sync.Gap) else done

    return reduced


def _once_more(reduce: Any) -> Any:
    def reduced(view: Any, received: EventRange) -> Any:
        done = reduce(view, received)
        return reduce(_At(view, received.first - 1), received) if isinstance(done, sync.Old) else done

    return reduced


def _whole(_: Any) -> Any:
    def taken_in(self: Any, conversation_id: str, page: Any, before: Any, after: Any, limit: int) -> Any:
        if page.messages and conversation_id in self._state.conversations:
            self._on_hand.add(conversation_id, page.messages)
        return page

    return taken_in


def _keeping_what_was_cleared(replace: Any) -> Any:
    def replaced(self: Any, rows: Any, cursor: Any, *, clear: Any = None, keep_history: bool = True) -> None:
        replace(self, rows, cursor, keep_history=keep_history)

    return replaced


def _keeping_history(take: Any) -> Any:
    async def taken(self: Any, answer: Any, *, keep_history: bool) -> None:
        await take(self, answer, keep_history=True)

    return taken


def _under_a_new_name(perform: Any) -> Any:
    tried: set[str] = set()

    async def performed(calls: Any, entry: AnyEntry) -> Any:
        key = identifier_of(entry)
        if key in tried:
            field = "client_id" if hasattr(entry, "client_id") else "operation_id"
            entry = msgspec.structs.replace(entry, **{field: new_identifier()})
        elif key:
            tried.add(key)
        return await perform(calls, entry)

    return performed


def _giving_up(failed: Any) -> Any:
    def given_up(self: Any, slot: Any, error: Any) -> None:
        failed(self, slot, error)
        if isinstance(error, NotConnected) and slot in self.queue:
            self._remove([slot], None)

    return given_up


def _nothing(_: Any) -> Any:
    def read(_store: Any) -> Iterator[Any]:
        return iter(())

    return read


def _never(_: Any) -> Any:
    return lambda *_: None


def _the_last_first(runnable: Any) -> Any:
    def reversed_(self: Any, most: int, now: float) -> Any:
        found = runnable(self, most, now)
        waiting = [slot for slot in self if slot.phase is Phase.WAITING and not self.suspended(slot)]
        return waiting[-len(found) :] if found else []

    return reversed_


def _and_purges(queue_changed: Any) -> Any:
    def changed(self: Any, entries: Iterable[AnyEntry], *, settled: bool = False) -> None:
        for entry in entries:
            if isinstance(entry, QueuedDeletion) and not settled:
                self.store.history.purge(entry.conversation_id_list)
        queue_changed(self, entries, settled=settled)

    return changed


def _the_oldest(add: Any) -> Any:
    def added(self: Any, conversation_id: str, found: Any, *, covers: Any = None) -> None:
        held = self._shelves[conversation_id].messages if conversation_id in self._shelves else {}
        add(self, conversation_id, [one for one in found if one.message_seq not in held], covers=covers)

    return added


def _but_for(*kinds: type) -> Callable[[Any], Any]:
    def told(tell: Any) -> Any:
        return lambda self, *given: [one for one in tell(self, *given) if not isinstance(one, kinds)]

    return told


def _rows_first(put: Any) -> Any:
    def told(self: Any, *news: changes.Change) -> None:
        put(self, *sorted(news, key=lambda one: not isinstance(one, changes.ConversationsUpdated)))

    return told


def _and_the_drafts(replace: Any) -> Any:
    def replaced(self: Any, *given: Any, **named: Any) -> None:
        replace(self, *given, **named)
        self._drafts.clear()

    return replaced


def _no(_: Any) -> Any:
    return lambda *_: False


def _all_of_it(_: Any) -> Any:
    return lambda entries, _: list(entries)


async def _without_bounds(*_: Any) -> dict[str, int]:
    return {}


def _of_the_sender_too(numbers: Callable[..., Any]) -> Callable[..., Any]:
    def counted(stored: history.Stored, now: int, *own: int) -> Any:
        if own[8] == stored.seq:  # the newest message that this user wrote
            own = (*own[:3], own[3] - 1, *own[4:])
        return numbers(stored, now, *own)

    return counted


MUTANTS = (
    Mutant(
        "a watermark is what was set last, not the greatest",
        [(deletion, "_raised", lambda _: lambda before, seen: seen)],
    ),
    Mutant(
        "a deletion moves the read mark",
        [(deletion, "save_marks", _and_reads), (deletion, "take_whole", _and_reads_whole)],
    ),
    Mutant(
        "unread is not counted anew after a deletion",
        [
            (
                deletion,
                "counts",
                lambda _: lambda tx, account, floors: [(old.floor_count, old.mention_count) for old, _ in floors],
            ),
            (deletion, "take_whole", _without_counting),
        ],
    ),
    Mutant("a restore withdraws later operations as well", [(undo, "_withdraw", _and_later_ones)]),
    Mutant("a pin comes back although it was changed since", [(undo, "_repins", _whenever_it_took_one)]),
    Mutant("a restore is told to the asking device alone", [(undo, "tell", _to_the_caller)]),
    Mutant(
        "what has expired is forgotten instead of folded in",
        [(expiry, "fold", _without_settling), (settling, "fold", _without_settling)],
    ),
    Mutant("a repeated command is carried out again", [(conversations, "once", _without_looking)]),
    Mutant("with sync off other devices are told all the same", [(deletion, "tell", _to_everybody)]),
    Mutant("a left group is listed again when others talk", [(state, "_NEWEST", lambda _: "c.last_seq")]),
    Mutant("a sender's own message counts as unread", [(letters, "numbers", _of_the_sender_too)]),
    Mutant("a range is applied over a gap", [(sync, "reduce", _over_gaps)]),
    Mutant("a repeated range is applied once more", [(sync, "reduce", _once_more)]),
    Mutant(
        "a page is taken in as it comes, whatever was told meanwhile",
        [(Pages, "_taken_in", _whole), (State, "generation", lambda _: lambda self, _: (0, 0))],
    ),
    Mutant(
        "a deletion takes what came since it was confirmed",
        [(deleting, "_seen", lambda _: lambda *_: {}), (deleting, "_hidden", lambda _: _without_bounds)],
    ),
    Mutant("a cut log keeps what the snapshot cleared", [(MemoryAccount, "replace", _keeping_what_was_cleared)]),
    Mutant("a new epoch keeps the old one's messages", [(CatchUp, "_take_snapshot", _keeping_history)]),
    Mutant(
        "what names messages of before a restored backup is carried out",
        [(request, "check_numbering", lambda _: lambda *_: None)],
    ),
    Mutant("what waits for messages of before a restored backup hides others", [(core, "standing", _all_of_it)]),
    Mutant("a repetition goes under a new identifier", [(core, "perform", _under_a_new_name)]),
    Mutant("a command is dropped when the network fails", [(Outbox, "_failed", _giving_up)]),
    Mutant("a restart forgets the queue", [(outbox, "_readable", _nothing)]),
    Mutant("what an event leaves open is never asked", [(Inquiry, "about", _never)]),
    Mutant("what was queued last goes out first", [(Queue, "runnable", _the_last_first)]),
    Mutant("what is to be deleted is shown until it is", [(client_state, "shown", lambda _: lambda row, _: row)]),
    Mutant("history goes as soon as a deletion is queued", [(core.Core, "queue_changed", _and_purges)]),
    Mutant("a message stays as it was held first", [(MemoryHistory, "add", _the_oldest)]),
    Mutant("a changed message is not told", [(Receiver, "_told", _but_for(changes.MessageUpdated))]),
    Mutant("a sent message keeps its echo", [(Echoes, "is_echo", _no), (Echoes, "drop", _no)]),
    Mutant("a row that goes is not told", [(Receiver, "_removed", lambda _: lambda *_: [])]),
    Mutant("a row that is back in the same range is told before it goes", [(Announcer, "put", _rows_first)]),
    Mutant("a reset takes the drafts", [(MemoryAccount, "replace", _and_the_drafts)]),
    Mutant("the draft of what another device deleted is not offered", [(Receiver, "_removed", _but_for(DraftKept))]),
    Mutant("what the log left out is never in doubt", [(Doubt, "of", _no)]),
)
