"""The list of conversations, and what users do to its rows but delete them: read, pin, mute, mark."""

import msgspec

from tui_chat.protocol import ids, limits
from tui_chat.protocol.errors import ConversationNotFound, InvalidRequest, TooManyPins
from tui_chat.protocol.events import ConversationChanged, ConversationRead, Event, ReadItem
from tui_chat.protocol.models import Conversation
from tui_chat.protocol.requests import (
    ConversationPage,
    ConversationsChanged,
    ItemFailure,
    ReadConversations,
    SetFlags,
)
from tui_chat.server.engines import Transaction

from .blocking import apart
from .caller import Caller
from .eventlog import Outgoing, emit, in_events
from .grouprows import check_writable
from .idempotency import once
from .marks import counts
from .naming import check_count, distinct, named
from .paging import after_key
from .state import C2C, Side, listed_views, save, side, sides, views


def page(
    tx: Transaction, caller: Caller, *, cursor: str | None = None, limit: int = limits.PAGE_DEFAULT
) -> ConversationPage:
    """Listed conversations in the order in which they began, which does not move; clients sort.

    Raises:
        InvalidRequest: the limit or the cursor is none.
    """
    found = listed_views(tx, caller.user, after_key(cursor, limit), limit + 1)
    keys = list(found)[:limit]
    return ConversationPage(
        conversations=[found[key] for key in keys], next=str(keys[-1]) if len(found) > limit else None
    )


def get(tx: Transaction, caller: Caller, conversation_id: str) -> Conversation:
    """One conversation, listed or not. Raises InvalidConversation or ConversationNotFound."""
    own = side(tx, caller.user, named(caller, conversation_id).folded)
    if own is None:
        raise ConversationNotFound()
    return views(tx, caller.user, [own.conversation])[own.conversation]


def read(tx: Transaction, caller: Caller, request: ReadConversations) -> ConversationsChanged:
    """Everything up to a message of each is read; marks only move forward. The other side of a one-to-one is told.

    Raises:
        TooManyConversations, InvalidRequest, InvalidConversation, OperationReused.
    """
    check_count(request.items, "items")
    wanted: dict[str, int] = {}
    given: dict[str, str] = {}
    for item in request.items:
        if item.message_seq < 0:
            raise InvalidRequest(f"messageSeq of {item.conversation_id!r} is negative")
        one = named(caller, item.conversation_id)
        wanted[one.folded] = max(item.message_seq, wanted.get(one.folded, 0))
        given.setdefault(one.folded, item.conversation_id)

    def carry_out(_: str) -> ConversationsChanged:
        tx.lock_users((caller.user,))
        found = sides(tx, caller.user, list(wanted))
        moved: list[Side] = []
        unmarked: list[Side] = []
        further = [
            (found[folded], max(found[folded].read_seq, min(message_seq, found[folded].newest)))
            for folded, message_seq in wanted.items()
            if folded in found
        ]
        counted = counts(tx, caller.user, [(before, max(read_seq, before.floor)) for before, read_seq in further])
        for (before, read_seq), (floor_count, mention_count) in zip(further, counted, strict=True):
            after = msgspec.structs.replace(
                before, read_seq=read_seq, floor_count=floor_count, mention_count=mention_count, marked_unread=0
            )
            if after.read_seq > before.read_seq:
                moved.append(after)
            if before.marked_unread:
                unmarked.append(after)
        save(tx, {one.conversation: one for one in moved + unmarked}.values())
        return ConversationsChanged(
            conversation_id_list=[found[folded].conversation_id for folded in wanted if folded in found],
            failures=_missing(given, found),
            event_seq=_tell_read(tx, caller, moved, unmarked),
        )

    return once(tx, caller, "read", request.operation_id, request, ConversationsChanged, carry_out)


def _tell_read(tx: Transaction, caller: Caller, moved: list[Side], unmarked: list[Side]) -> int:
    """Tell the user's devices what was read, and the other side of each one-to-one how far."""
    told: list[Outgoing] = []
    shown = views(tx, caller.user, [one.conversation for one in moved + unmarked])
    if moved:
        items = [
            ReadItem(
                conversation_id=one.conversation_id,
                read_seq=one.read_seq,
                unread_count=shown[one.conversation].unread_count,
                mention_count=one.mention_count,
            )
            for one in moved
        ]
        told.append(Outgoing(caller.user, ConversationRead(items=items)))
    told += [
        Outgoing(caller.user, ConversationChanged(conversations=piece))
        for piece in in_events(shown[one.conversation] for one in unmarked)
    ]
    peers = {one.peer: one.read_seq for one in moved if one.kind == C2C and one.peer is not None}
    for (peer,) in tx.in_list("SELECT id FROM account WHERE id IN (?*)", list(peers)):
        event = ConversationRead(conversation_id=ids.c2c(caller.user_id), peer_read_seq=peers[peer])
        told.append(Outgoing(peer, event))
    return emit(tx, told).get(caller.user, 0)


def flags(tx: Transaction, caller: Caller, request: SetFlags) -> ConversationsChanged:
    """Pin, mute or mark as unread, or the reverse, for each of a list. Every device is told.

    Raises:
        TooManyConversations, InvalidRequest, InvalidConversation, OperationReused.
    """
    wanted = dict(zip(*distinct(caller, request.conversation_id_list), strict=True))
    if request.pinned is None and request.muted is None and request.marked_unread is None:
        raise InvalidRequest("give at least one of pinned, muted and markedUnread")

    def carry_out(_: str) -> ConversationsChanged:
        tx.lock_users((caller.user,))
        found = sides(tx, caller.user, list(wanted))
        failures = _missing(wanted, found)
        room = limits.PINS - pins(tx, caller.user) if request.pinned else 0
        done: list[str] = []
        changed: list[Side] = []
        touched: list[Side] = []
        for folded, given in wanted.items():
            before = found.get(folded)
            if before is None:
                continue
            if request.pinned and not before.pinned:
                if room <= 0:
                    failures.append(ItemFailure.of(given, TooManyPins().body()))
                    continue
                room -= 1
            after = _flagged(before, request)
            done.append(before.conversation_id)
            if after != before:
                touched.append(after)
            if msgspec.structs.replace(after, pin_version=before.pin_version) != before:
                changed.append(after)
        save(tx, touched)
        shown = views(tx, caller.user, [one.conversation for one in changed])
        told: list[Event] = [
            ConversationChanged(conversations=piece) for piece in in_events(shown[one.conversation] for one in changed)
        ]
        newest = emit(tx, [Outgoing(caller.user, event) for event in told])
        return ConversationsChanged(conversation_id_list=done, failures=failures, event_seq=newest.get(caller.user, 0))

    return once(tx, caller, "flags", request.operation_id, request, ConversationsChanged, carry_out)


def _flagged(before: Side, request: SetFlags) -> Side:
    """The side with the flags that are given. That somebody decided about the pin counts, even where it stays."""
    return msgspec.structs.replace(
        before,
        pinned=before.pinned if request.pinned is None else int(request.pinned),
        pin_version=before.pin_version + (request.pinned is not None),
        muted=before.muted if request.muted is None else int(request.muted),
        marked_unread=before.marked_unread if request.marked_unread is None else int(request.marked_unread),
    )


def pins(tx: Transaction, user: int) -> int:
    """How many conversations the user has pinned."""
    row = tx.one("SELECT COUNT(*) FROM state WHERE account = ? AND pinned = 1", user)
    return 0 if row is None else int(row[0])


def may_type(tx: Transaction, caller: Caller, conversation_id: str) -> list[tuple[int, str, str]]:
    """Who is told that the caller types: account, userID, and the conversationID as that one names it.

    Raises:
        InvalidConversation, ReadOnly, ConversationNotFound, NotAMember, GroupMuted, Blocked, UserErased.
    """
    own = side(tx, caller.user, named(caller, conversation_id).folded)
    if own is None:
        raise ConversationNotFound()
    check_writable(tx, own)
    rows = tx.all(
        "SELECT s.account, a.user_id, s.conversation_id FROM state s JOIN account a ON a.id = s.account"
        " WHERE s.conversation = ? AND s.leave_seq IS NULL AND s.account <> ? ORDER BY s.account",
        own.conversation,
        caller.user,
    )
    without = apart(tx, caller.user)
    return [(row[0], row[1], row[2]) for row in rows if row[0] not in without]


def _missing(given: dict[str, str], found: dict[str, Side]) -> list[ItemFailure]:
    """Failures for what the caller has no conversation of."""
    refusal = ConversationNotFound().body()
    return [ItemFailure.of(text, refusal) for folded, text in given.items() if folded not in found]
