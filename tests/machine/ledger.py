"""The rules of protocol.md said once more, as simply as they can be: what every call must do, and what follows.

It sees every request that the server carries out. It keeps every share of every watermark for ever and takes their
maximum; counts it makes anew from the messages themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from tui_chat.protocol.errors import BatchUndone, ChatError, Internal, OperationNotFound, ServerRestored, UndoExpired
from tui_chat.protocol.models import Conversation
from tui_chat.protocol.requests import (
    ClearConversations,
    ConversationsChanged,
    ConversationsDeleted,
    ConversationsRestored,
    DeleteConversations,
    EditMessage,
    MessageSent,
    ReadConversations,
    RestoreConversations,
    SendMessage,
    SetFlags,
)
from tui_chat.server.operations import conversations
from tui_chat.server.operations.caller import Caller
from tui_chat.server.routes.endpoint import Call, Endpoint, Nothing

from .simulated_server import SimulatedServer

TIP = 1
"""`message.type` of what happened in a group: not counted as unread."""


@dataclass
class Share:
    """What one call set for one conversation."""

    batch: str
    order: int
    hidden: int
    cleared: int
    until: int
    """Milliseconds; from then on it is final."""
    undone: bool = False

    def live(self, now: int) -> bool:
        """Whether it can still be undone."""
        return not self.undone and self.until > now


@dataclass
class Side:
    """What a user did to a conversation."""

    shares: list[Share] = field(default_factory=list)
    read: int = 0
    pin: bool = False
    """What the person said last, at `pin_order`."""
    pin_order: int = 0
    muted: bool = False
    marked: bool = False

    @property
    def hidden(self) -> int:
        """The greatest of what was set and not undone."""
        return max([0] + [one.hidden for one in self.shares if not one.undone])

    @property
    def cleared(self) -> int:
        """The same of the history."""
        return max([0] + [one.cleared for one in self.shares if not one.undone])

    @property
    def pinned(self) -> bool:
        """Deleting takes a pin; undoing everything that did gives it back."""
        return self.pin and not any(one.hidden and not one.undone and one.order > self.pin_order for one in self.shares)


@dataclass
class Batch:
    """One act of a person."""

    undone: bytes | None = None
    """The answer to its restore."""
    erased: bool = False


class Numbers(NamedTuple):
    """A side as the database has it, and what only the messages themselves can tell."""

    user: int
    conversation_id: str
    conversation: int
    hidden: int
    cleared: int
    read: int
    pinned: int
    muted: int
    marked: int
    join_seq: int
    newest: int


_NUMBERS = (
    "SELECT s.account, s.conversation_id, s.conversation, s.hidden, s.cleared, s.read_seq, s.pinned, s.muted,"
    " s.marked_unread, s.join_seq, CASE WHEN s.leave_seq IS NULL THEN c.last_seq ELSE s.leave_seq END"
    " FROM state s JOIN conversation c ON c.id = s.conversation"
)


@dataclass
class Ledger:
    """Everything that users did, by (user, conversationID) and (user, batchID). Implements `Witness`."""

    sides: dict[tuple[int, str], Side] = field(default_factory=dict)
    batches: dict[tuple[int, str], Batch] = field(default_factory=dict)
    carried_out: dict[str, bytes] = field(default_factory=dict)
    """By operationID or clientID: the first answer."""
    refused_last: dict[str, str] = field(default_factory=dict)
    """By operationID or clientID: the code of the last refusal."""
    order: int = 0

    def side(self, user: int, conversation_id: str) -> Side:
        """A user's side of a conversation."""
        return self.sides.setdefault((user, conversation_id), Side())

    def shares(self, user: int, batch: str) -> Iterator[tuple[str, Share]]:
        """What a batch set, with the conversations."""
        for (owner, conversation_id), side in self.sides.items():
            if owner == user:
                for share in side.shares:
                    if share.batch == batch:
                        yield conversation_id, share


class Clerk:
    """Writes the ledger, and holds the server against it. Implements `Witness`."""

    def __init__(self, server: SimulatedServer, ledger: Ledger):
        self.server = server
        self.ledger = ledger

    # Witness

    def answered(self, caller: Caller, endpoint: Endpoint[Any, Any, Any], call: Call[Any, Any], answer: Any) -> None:
        """A request was carried out: for the first time, or answered as it was then."""
        match call.body:
            case RestoreConversations(batch_id=str(batch_id)):
                self._restored(caller, batch_id, answer)
            case _ if identifier(call):
                key = identifier(call)
                first = self.ledger.carried_out.get(key)
                if first is not None:
                    assert same(first, answer), "a retry gets the first answer"
                    return
                self.ledger.carried_out[key] = msgspec.json.encode(answer)
                self.ledger.order += 1
                self._first(caller, call.body, answer)
            case _:
                if endpoint.path == "/v1/conversations/deletions/{batch_id}":
                    self._erased(caller, call.path["batch_id"])

    def refused(
        self, caller: Caller, endpoint: Endpoint[Any, Any, Any], call: Call[Any, Any], error: ChatError
    ) -> None:
        """A request was refused; what it asked for must not be there."""
        assert not isinstance(error, Internal), f"{endpoint.method} {endpoint.path}: {error}"
        if isinstance(call.body, RestoreConversations):
            batch_id = call.body.batch_id or ""
            live = [one for _, one in self.ledger.shares(caller.user, batch_id) if one.live(self.server.clock())]
            assert not live, f"{batch_id} can be undone, but was refused as {error.code}"
            assert isinstance(error, UndoExpired | OperationNotFound)
            return
        key = identifier(call)
        if key:
            self.ledger.refused_last[key] = error.code
            if isinstance(error, ServerRestored):
                return  # whatever else may be said of it
            if isinstance(call.body, DeleteConversations | ClearConversations) and key not in self.ledger.carried_out:
                batch = self.ledger.batches.get((caller.user, call.body.batch_id or ""))
                done_with = batch is not None and (batch.undone is not None or batch.erased)
                assert done_with == isinstance(error, BatchUndone | UndoExpired), error.code

    def _first(self, caller: Caller, body: Any, answer: Any) -> None:
        match body, answer:
            case SendMessage(), MessageSent(message=message):
                side = self.ledger.side(caller.user, message.conversation_id)
                side.read = message.message_seq
                side.marked = False
            case ReadConversations(items=items), ConversationsChanged(conversation_id_list=done):
                newest = self.newest(caller.user)
                for item in items:
                    if item.conversation_id in done:
                        side = self.ledger.side(caller.user, item.conversation_id)
                        side.read = max(side.read, min(item.message_seq, newest[item.conversation_id]))
                        side.marked = False
            case SetFlags(), ConversationsChanged(conversation_id_list=done):
                for conversation_id in done:
                    side = self.ledger.side(caller.user, conversation_id)
                    if body.pinned is not None:
                        side.pin, side.pin_order = body.pinned, self.ledger.order
                    side.muted = side.muted if body.muted is None else body.muted
                    side.marked = side.marked if body.marked_unread is None else body.marked_unread
            case ((EditMessage() | Nothing()), MessageSent()):
                pass  # what becomes of a message, devices are held against
            case DeleteConversations() | ClearConversations(), ConversationsDeleted():
                self._deleted(caller, body, answer)
            case _:
                raise AssertionError(f"{type(body).__name__} was answered with {type(answer).__name__}")

    def _deleted(
        self, caller: Caller, body: DeleteConversations | ClearConversations, answer: ConversationsDeleted
    ) -> None:
        now = self.server.clock()
        batch = self.ledger.batches.setdefault((caller.user, answer.batch_id), Batch())
        assert batch.undone is None, "no call of a batch is carried out after its restore"
        assert not batch.erased, "no call of a batch is carried out after it was ended"
        hides = isinstance(body, DeleteConversations)
        clears = body.clear_history_message if isinstance(body, DeleteConversations) else True
        until = now + answer.undo_seconds * 1000
        for _, share in self.ledger.shares(caller.user, answer.batch_id):
            if share.live(now):
                share.until = until
        newest = self.newest(caller.user)
        assert set(answer.conversation_id_list) == set(body.conversation_id_list) & newest.keys()
        for conversation_id in answer.conversation_id_list:
            seen = min((body.up_to or {}).get(conversation_id, newest[conversation_id]), newest[conversation_id])
            self.ledger.side(caller.user, conversation_id).shares.append(
                Share(answer.batch_id, self.ledger.order, seen if hides else 0, seen if clears else 0, until)
            )
        told = [one for one in self.server.emitted if one.user == caller.user]
        if hides and not answer.synced:
            assert all(one.only_device == caller.device_id for one in told), "other devices hear nothing of it"

    def _restored(self, caller: Caller, batch_id: str, answer: ConversationsRestored) -> None:
        batch = self.ledger.batches[caller.user, batch_id]
        if batch.undone is not None:
            assert same(batch.undone, answer), "a second restore gets the first one's answer"
            return
        batch.undone = msgspec.json.encode(answer)
        self.ledger.order += 1
        live = [one for one in self.ledger.shares(caller.user, batch_id) if one[1].live(self.server.clock())]
        assert live, f"{batch_id} was restored, although nothing of it could be undone"
        assert set(answer.conversation_id_list) == {conversation_id for conversation_id, _ in live}
        for _, share in live:
            share.undone = True

    def _erased(self, caller: Caller, batch_id: str) -> None:
        now = self.server.clock()
        live = [one for _, one in self.ledger.shares(caller.user, batch_id) if one.live(now)]
        for share in live:
            share.until = now
        if live:
            self.ledger.batches[caller.user, batch_id].erased = True

    def newest(self, user: int) -> dict[str, int]:
        """The newest message of each conversation that a user could ever see."""
        rows = self.server.store.rows(f"{_NUMBERS} WHERE s.account = ?", user)
        return {one.conversation_id: one.newest for one in map(Numbers._make, rows)}

    def _numbers(self) -> list[Numbers]:
        return [Numbers(*row) for row in self.server.store.rows(_NUMBERS)]

    # Holding the server against it

    def check(self, callers: dict[int, Caller]) -> None:
        """Everything that anybody could see now is as the rules have it. `callers`: one device of each user."""
        query = self.server.store.rows
        messages: dict[int, list[tuple[int, int, int, str | None]]] = {}
        for conversation, *message in query("SELECT conversation, seq, sender, type, extra FROM message ORDER BY seq"):
            messages.setdefault(conversation, []).append(tuple(message))
        past: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for user, conversation, first, last in query(
            "SELECT account, conversation, join_seq, leave_seq FROM past_period"
        ):
            past.setdefault((user, conversation), []).append((first, last))
        for one in self._numbers():
            side = self.ledger.sides.get((one.user, one.conversation_id), Side())
            where = f"{callers[one.user].user_id}'s {one.conversation_id}"
            assert (one.hidden, one.cleared) == (side.hidden, side.cleared), f"{where}: watermarks"
            assert one.read == side.read, f"{where}: read mark"
            assert (bool(one.pinned), bool(one.muted), bool(one.marked)) == (side.pinned, side.muted, side.marked), (
                f"{where}: flags"
            )
            periods = [*past.get((one.user, one.conversation), ()), (one.join_seq, one.newest)]
            visible = [
                message
                for message in messages.get(one.conversation, ())
                if message[0] > one.cleared and any(first <= message[0] <= last for first, last in periods)
            ]
            unread = [
                message
                for message in visible
                if message[0] > max(one.read, one.hidden) and message[1] != one.user and message[2] != TIP
            ]
            caller = callers[one.user]
            mentions = sum(caller.user_id in _mentions(extra) for _, _, _, extra in unread)
            shown = self.server.engine.look(
                lambda tx, caller=caller, one=one: conversations.get(tx, caller, one.conversation_id)  # type: ignore[misc]
            )
            assert shown.newest_seq == one.newest, f"{where}: newest"
            assert shown.message_count == len(visible), f"{where}: count"
            assert shown.first_seq == (visible[0][0] if visible else 0), f"{where}: first"
            assert shown.unread_count == len(unread), f"{where}: unread"
            assert shown.mention_count == mentions, f"{where}: mentions"
            assert (shown.last_message is not None) == (one.newest > one.cleared), f"{where}: last message"

    def listed(self, caller: Caller) -> dict[str, Conversation]:
        """What a device without a past would be told now; and that just what the rules list is in it."""
        found: dict[str, Conversation] = {}
        cursor: str | None = None
        while True:
            page = self.server.engine.look(
                lambda tx, cursor=cursor: conversations.page(tx, caller, cursor=cursor)  # type: ignore[misc]
            )
            found |= {one.conversation_id: one for one in page.conversations}
            cursor = page.next
            if cursor is None:
                break
        numbers = [one for one in self._numbers() if one.user == caller.user]
        assert found.keys() == {
            one.conversation_id
            for one in numbers
            if one.newest > self.ledger.sides.get((one.user, one.conversation_id), Side()).hidden
        }, "what is listed"
        return found


def identifier(call: Call[Any, Any]) -> str:
    """By what a repetition of a command is known."""
    match call.body:
        case SendMessage(client_id=client_id):
            return client_id
        case DeleteConversations() | ClearConversations() | ReadConversations() | SetFlags() | EditMessage():
            return call.body.operation_id or ""
        case Nothing():
            return getattr(call.query, "operation_id", None) or ""
        case _:
            return ""


def same(first: bytes, answer: Any) -> bool:
    """Whether an answer is the one that was given before; a message's may have changed, its place has not."""
    if isinstance(answer, MessageSent):
        before = msgspec.json.decode(first, type=MessageSent).message
        return (before.message_seq, before.client_id) == (answer.message.message_seq, answer.message.client_id)
    return first == msgspec.json.encode(answer)


def _mentions(extra: str | None) -> list[str]:
    return [] if extra is None else list(msgspec.json.decode(extra).get("mentions", []))
