"""The commands that delete, clear and bring back conversations."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from tui_chat.protocol.errors import (
    ChatError,
    ErrorBody,
    InvalidConversation,
    InvalidRequest,
    OperationNotFound,
    error_from,
)
from tui_chat.protocol.ids import c2c, fold, new_identifier, parse_conversation_id, same_conversation
from tui_chat.protocol.requests import ConversationsDeleted, ConversationsRestored, ItemFailure

from .core import Core
from .entries import AnyEntry, QueuedClear, QueuedDeletion, QueuedRestore
from .outbox import Outcome, TakenOut, Ticket, Waits
from .queueing import Phase
from .results import DeletedConversation, DeletedConversations, RestoredConversations, UndoableBatch

ASKED_AT_ONCE: Final = 4
"""Conversations without a row that are asked for side by side."""

Progress = Callable[[int, int], None]
"""Called with how many are through, and of how many."""


async def delete_one(core: Core, conversation_id: str, up_to: Mapping[str, int] | None) -> DeletedConversation:
    """The form with one ID: always clears, raises on failure."""
    result = await delete(core, [conversation_id], clear_history_message=True, up_to=up_to)
    for failure in result.failures:
        raise error_from(ErrorBody(code=failure.code, message=failure.message))
    return DeletedConversation(
        conversation_id=result.conversation_id_list[0] if result.conversation_id_list else conversation_id,
        batch_id=result.batch_id,
        undo_seconds=result.undo_seconds,
        synced=result.synced,
        kept=bool(result.kept),
        queued=bool(result.queued),
    )


async def delete(
    core: Core,
    conversation_id_list: Sequence[str],
    *,
    clear_history_message: bool,
    up_to: Mapping[str, int] | None = None,
    batch_id: str | None = None,
    progress: Progress | None = None,
    stop: asyncio.Event | None = None,
) -> DeletedConversations:
    """Delete any number, in calls of one batch. Raises ChatError only where all of it is refused."""
    if not isinstance(clear_history_message, bool):
        raise InvalidRequest("clearHistoryMessage must be true or false")
    batch = batch_id or new_identifier()

    def entry(ids: list[str], seen: dict[str, int]) -> AnyEntry:
        return QueuedDeletion(
            conversation_id_list=ids,
            clear_history_message=clear_history_message,
            up_to=seen,
            operation_id=new_identifier(),
            batch_id=batch,
        )

    return await _in_calls(core, conversation_id_list, entry, batch, up_to, progress, stop)


async def clear(
    core: Core, conversation_id_list: Sequence[str], *, up_to: Mapping[str, int] | None = None
) -> DeletedConversations:
    """Clear histories; the rows stay. Raises ChatError only where all of it is refused."""
    batch = new_identifier()

    def entry(ids: list[str], seen: dict[str, int]) -> AnyEntry:
        return QueuedClear(conversation_id_list=ids, up_to=seen, operation_id=new_identifier(), batch_id=batch)

    return await _in_calls(core, conversation_id_list, entry, batch, up_to, None, None)


async def _in_calls(
    core: Core,
    conversation_id_list: Sequence[str],
    entry: Callable[[list[str], dict[str, int]], AnyEntry],
    batch_id: str,
    up_to: Mapping[str, int] | None,
    progress: Progress | None,
    stop: asyncio.Event | None,
) -> DeletedConversations:
    cursor = core.state.cursor if up_to else None
    await core.ready()
    cursor = cursor or core.state.cursor
    ids = checked(core, conversation_id_list)
    seen = _seen(core, ids, up_to)
    if unlisted := [item for item in ids if item not in seen]:
        seen |= await _hidden(core, unlisted)
    size = core.identity.server.limits.conversations_a_call
    parts = [ids[start : start + size] for start in range(0, len(ids), size)]
    entries = [entry(part, {item: seen[item] for item in part if item in seen}) for part in parts]
    tickets = core.submit(entries, cursor)
    collected = _Collected(core, batch_id, len(ids), progress)
    stopping = asyncio.ensure_future(_stop(core, tickets, stop)) if stop is not None else None
    try:
        async with asyncio.TaskGroup() as group:
            for ticket, part in zip(tickets, parts, strict=True):
                group.create_task(collected.take(part, ticket.outcome()))
    finally:
        if stopping is not None:
            stopping.cancel()
    return collected.result()


def checked(core: Core, conversation_id_list: Sequence[str]) -> list[str]:
    """The IDs, each once, in the spelling in which the list has them.

    Raises:
        InvalidRequest, InvalidConversation: names the fault; checked before anything is sent.
    """
    if isinstance(conversation_id_list, str) or not isinstance(conversation_id_list, Sequence):
        raise InvalidRequest("conversationIDList must be a list of conversationIDs")
    if not conversation_id_list:
        raise InvalidRequest("conversationIDList is empty")
    known = core.state.conversations
    own = c2c(core.tokens.credentials.user_id)
    folded: dict[str, str] | None = None
    ids: dict[str, None] = {}
    for item in conversation_id_list:
        if not isinstance(item, str):
            raise InvalidRequest("conversationIDList must be a list of conversationIDs")
        if same_conversation(str(parse_conversation_id(item)), own):
            raise InvalidConversation(f"{item} would be a conversation with oneself")
        if item not in known:
            folded = folded if folded is not None else {fold(one): one for one in known}
            item = folded.get(fold(item), item)
        ids[item] = None
    return list(ids)


def _seen(core: Core, ids: list[str], up_to: Mapping[str, int] | None) -> dict[str, int]:
    """The newest message of each that was on the screen; without a word of the caller, what the state has now. Those
    without a row are left out.

    Raises:
        InvalidRequest: a bound that is no messageSeq, or for a conversation that is not to be deleted: it was meant to
            protect something, and must not be dropped.
    """
    bounds = {fold(item): bound for item, bound in (up_to or {}).items()}
    for item, bound in bounds.items():
        if isinstance(bound, bool) or not isinstance(bound, int) or bound < 0:
            raise InvalidRequest(f"upTo of {item} must be a messageSeq")
    strange = bounds.keys() - {fold(item) for item in ids}
    if strange:
        raise InvalidRequest(f"upTo names {min(strange)}, which is not in conversationIDList")
    seen: dict[str, int] = {}
    for item in ids:
        row = core.state.conversations.get(item)
        if fold(item) in bounds:
            seen[item] = bounds[fold(item)]
        elif row is not None:
            seen[item] = row.newest_seq
    return seen


async def _hidden(core: Core, unlisted: Sequence[str]) -> dict[str, int]:
    """How far conversations without a row are deleted already: as far as somebody may have seen them, and no further,
    since a message that brings one back may be on its way here. What is not known is not touched."""
    hidden: dict[str, int] = {}
    asks = asyncio.Semaphore(ASKED_AT_ONCE)

    async def ask(conversation_id: str) -> None:
        known = core.state.marks_of(conversation_id).hidden_through
        if not known:
            with suppress(ChatError):  # there is none, or no connection: the deletion itself will say so
                async with asks:
                    known = (await core.calls.conversation(conversation_id)).hidden_through
        hidden[conversation_id] = known

    async with asyncio.TaskGroup() as group:
        for conversation_id in unlisted:
            group.create_task(ask(conversation_id))
    return hidden


async def _stop(core: Core, tickets: list[Ticket], stop: asyncio.Event) -> None:
    await stop.wait()
    core.outbox.take_out(ticket.slot for ticket in tickets)


class _Collected:
    """The answers of a batch's calls as they come in."""

    def __init__(self, core: Core, batch_id: str, total: int, progress: Progress | None):
        self._core = core
        self._batch_id = batch_id
        self._total = total
        self._progress = progress
        self._done = 0
        self._deleted: list[str] = []
        self._failures: list[ItemFailure] = []
        self._queued: list[str] = []
        self._stopped: list[str] = []
        self._refused: list[tuple[list[str], ChatError]] = []
        self._calls = 0
        self._answer: ConversationsDeleted | None = None

    async def take(self, ids: list[str], outcome: Awaitable[Outcome]) -> None:
        self._calls += 1
        try:
            came = await outcome
        except ChatError as error:
            self._refused.append((ids, error))
        else:
            match came:
                case ConversationsDeleted():
                    self._answer = came
                    self._deleted.extend(came.conversation_id_list)
                    self._failures.extend(came.failures)
                case Waits():
                    self._queued.extend(ids)
                case TakenOut():
                    self._stopped.extend(ids)
                case _:
                    raise mistaken(came)
        self._done += len(ids)
        if self._progress is not None:
            self._progress(self._done, self._total)

    def result(self) -> DeletedConversations:
        """All of it. Raises what was refused where everything was."""
        if self._refused and len(self._refused) == self._calls:
            raise self._refused[0][1]
        for ids, error in self._refused:
            self._failures.extend(ItemFailure.of(item, error.body()) for item in ids)
        rows = self._core.state.conversations
        return DeletedConversations(
            conversation_id_list=self._deleted,
            failures=self._failures,
            batch_id=self._batch_id,
            undo_seconds=self._answer.undo_seconds if self._answer is not None else 0,
            synced=self._answer.synced if self._answer is not None else False,
            kept=[item for item in self._deleted if item in rows],
            queued=self._queued,
            stopped=self._stopped,
        )


def undoable(core: Core) -> list[UndoableBatch]:
    """What can be undone now, newest first; what is still queued comes before everything."""
    now = core.clock()
    confirmed = core.undo_log.undoable(now)
    queued: dict[str, list[AnyEntry]] = {}
    for slot in core.outbox.queue:
        if isinstance(slot.entry, QueuedDeletion | QueuedClear) and slot.phase is not Phase.ANSWERED:
            queued.setdefault(slot.entry.batch_id, []).append(slot.entry)
    for entry in core.outbox.queue:
        if isinstance(entry.entry, QueuedRestore):
            queued.pop(entry.entry.batch_id, None)
    waiting = [
        UndoableBatch(
            batch_id=batch_id,
            count=sum(len(entry.conversations()) for entry in entries)
            + sum(batch.count for batch in confirmed if batch.batch_id == batch_id),
            clear_history_message=getattr(entries[0], "clear_history_message", True),
            undo_until=now + core.identity.server.undo_seconds * 1000,
            queued=True,
        )
        for batch_id, entries in reversed(queued.items())
    ]
    return waiting + [batch for batch in confirmed if batch.batch_id not in queued]


async def undo(core: Core, batch_id: str | None) -> RestoredConversations:
    """Bring a batch back. Raises ChatError: OperationNotFound where there is nothing, UndoExpired where it is late."""
    await core.ready()
    if batch_id is None:
        candidates = undoable(core)
        if not candidates:
            await core.learn_deletions()  # which may be under way since the state is there
            candidates = undoable(core)
        if not candidates:
            raise OperationNotFound("there is nothing to undo")
        batch_id = candidates[0].batch_id
    queue = core.outbox.queue
    taken = [item for entry in core.outbox.take_out(queue.untried_of(batch_id)) for item in entry.conversations()]
    left = [item for slot in queue.batch(batch_id) for item in slot.entry.conversations()]
    confirmed = core.undo_log.conversations(batch_id)
    if taken and not left and not confirmed:
        return RestoredConversations(conversation_id_list=taken, batch_id=batch_id)
    touched = list(dict.fromkeys(left + confirmed))
    (ticket,) = core.submit([QueuedRestore(batch_id=batch_id, conversation_id_list=touched)])
    match await ticket.outcome():
        case ConversationsRestored(conversation_id_list=restored):
            both = list(dict.fromkeys(taken + restored))
            return RestoredConversations(conversation_id_list=both, batch_id=batch_id)
        case Waits() | TakenOut():
            return RestoredConversations(conversation_id_list=taken + touched, batch_id=batch_id, queued=True)
        case other:
            raise mistaken(other)


def mistaken(outcome: object) -> AssertionError:
    """For what the queue cannot answer."""
    return AssertionError(f"an answer of another command: {type(outcome).__name__}")
