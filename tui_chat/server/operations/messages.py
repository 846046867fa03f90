"""Sending messages and reading history."""

from collections.abc import Sequence
from typing import Final

import msgspec

from tui_chat.protocol import ids, limits
from tui_chat.protocol.errors import (
    ChatError,
    ClientIDReused,
    ConversationNotFound,
    InvalidRequest,
    MessageNotFound,
    NotAMember,
    ReadOnly,
)
from tui_chat.protocol.models import Message, MessageType
from tui_chat.protocol.requests import MessagePage, MessageSent, SendMessage
from tui_chat.protocol.text import accept_text
from tui_chat.server.engines import Transaction

from .caller import Caller
from .changing import sees, visible
from .crowds import tell_everybody
from .editing import digest
from .events import position
from .extras import NO_EXTRA, Extra
from .grouprows import known_to
from .history import READ_ALL, Earlier, Sender, between, by_client_id, write
from .letters import Letter, deliver
from .naming import Named, named
from .perspective import seen_from
from .posting import as_written
from .rooms import BetweenTwo, between_two, of_group
from .state import C2C, Side, side, sides_by_key
from .users import NewSide, account_of, accounts_of, add_conversations, add_sides

_LIMIT_LEAST: Final = 1


def send(tx: Transaction, caller: Caller, conversation_id: str, request: SendMessage) -> MessageSent:
    """Write a message and tell everybody in the conversation; under the same clientID for ever only once.

    Raises:
        TextEmpty, TextTooLong, InvalidRequest: the message is not one.
        InvalidConversation, UserNotFound, GroupNotFound, NotAMember, GroupMuted, ReadOnly: it cannot be sent there.
        MessageNotFound: what it answers is not there for the sender.
        ClientIDReused: the clientID stands for another message.
    """
    where, text = checked(caller, conversation_id, request)
    try:
        return _send(tx, caller, where, request, text)
    except ChatError:
        # A retry gets its answer even where the sender could not send there any more.
        earlier = by_client_id(tx, caller.user, request.client_id)
        if earlier is None:
            raise
        return _again(tx, caller, where, request, text, earlier)


def checked(caller: Caller, conversation_id: str, request: SendMessage) -> tuple[Named, str]:
    """Where to, and the text as it is stored.

    Raises:
        TextEmpty, TextTooLong, InvalidRequest, InvalidConversation, ReadOnly: whatever stands in the database.
    """
    where = named(caller, conversation_id)
    ids.check_identifier(request.client_id, "clientID")
    text = accept_text(request.text)
    if len(request.mentions) > limits.MENTIONS:
        raise InvalidRequest(f"a message mentions at most {limits.MENTIONS} users")
    if where.parsed.type is ids.ConversationType.SYSTEM:
        raise ReadOnly()
    return where, text


def _send(tx: Transaction, caller: Caller, where: Named, request: SendMessage, text: str) -> MessageSent:
    if where.parsed.type is ids.ConversationType.GROUP:
        return _to_group(tx, caller, where, request, text)
    room = _begun(tx, caller, where) or _begin(tx, caller, where)
    room.check_writable()
    extra, mentioned = _beside(tx, caller, where, request)
    mentions = room.peer in mentioned
    sent = deliver(tx, (Letter(caller, room, request.client_id, text, extra, mentions),))
    if sent is None:
        raise ClientIDReused()
    if mentions:
        _mention(tx, room.conversation, room.last_seq + 1, [room.peer])
    return sent[0]


def _to_group(tx: Transaction, caller: Caller, where: Named, request: SendMessage, text: str) -> MessageSent:
    tx.lock_room(caller.user, where.folded)
    room = of_group(tx, caller.user, where.folded)
    if room is None:
        known_to(tx, caller, where.parsed.target)
        raise NotAMember()
    tx.found_room(room.here.conversation)
    room.check_writable()
    here = room.here
    extra, mentioned = _beside(tx, caller, where, request)
    stored = write(
        tx,
        here.conversation,
        here.last_seq,
        here.last_count,
        unindexed=here.unindexed,
        sender=caller.user,
        kind=MessageType.TEXT,
        text=text,
        client_id=request.client_id,
        extra=extra,
    )
    if stored is None:
        raise ClientIDReused()
    tx.later(READ_ALL, stored.seq, stored.seq, stored.so_far, caller.user, here.conversation)
    if mentioned:
        query = "SELECT account FROM state WHERE account IN (?*) AND conversation = ? AND leave_seq IS NULL"
        called = tx.in_list(query, [one for one in mentioned if one != caller.user], here.conversation)
        _mention(tx, here.conversation, stored.seq, [row[0] for row in called])
    message = as_written(
        tx,
        conversation_id=here.conversation_id,
        message_seq=stored.seq,
        sender=Sender(caller.user, caller.user_id, here.nick),
        kind=MessageType.TEXT,
        text=text,
        client_id=request.client_id,
        extra=extra,
    )
    positions = tell_everybody(tx, room, message, stored)
    return MessageSent(message=message, event_seq=positions[caller.user])


def _beside(tx: Transaction, caller: Caller, where: Named, request: SendMessage) -> tuple[Extra, Sequence[int]]:
    """What a message has beside its text, and the accounts that it mentions.

    Raises:
        MessageNotFound: what it answers is not there for the sender.
        UserNotFound: whom it mentions is not there.
    """
    if request.reply_to is None and not request.mentions:
        return NO_EXTRA, ()
    if request.reply_to is not None:
        own = side(tx, caller.user, where.folded)
        if own is None or not sees(tx, own, request.reply_to):
            raise MessageNotFound(f"there is no message {request.reply_to} to answer")
    mentioned = accounts_of(tx, request.mentions)
    extra = Extra(reply_to=request.reply_to, mentions=[one.user_id for one in mentioned])
    return extra, [one.key for one in mentioned]


def page(
    tx: Transaction,
    caller: Caller,
    conversation_id: str,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
    limit: int = limits.PAGE_DEFAULT,
) -> MessagePage:
    """Visible messages, oldest first: the newest ones, or those before, after or around a messageSeq.

    `more` says whether there are others in the direction asked for; around a message, whether there are older ones.

    Raises:
        InvalidConversation, InvalidRequest, ConversationNotFound.
    """
    if sum(bound is not None for bound in (before, after, around)) > 1:
        raise InvalidRequest("give at most one of before, after and around")
    if not _LIMIT_LEAST <= limit <= limits.PAGE:
        raise InvalidRequest(f"limit is from {_LIMIT_LEAST} to {limits.PAGE}")
    own = side(tx, caller.user, named(caller, conversation_id).folded)
    if own is None:
        raise ConversationNotFound()
    spans = visible(tx, own)
    if after is not None:
        messages = _read(tx, own, spans, after + 1, own.newest, limit + 1, newest=False)
        more = len(messages) > limit
        messages = messages[:limit]
    elif around is not None:
        newer = _read(tx, own, spans, around, own.newest, limit - limit // 2, newest=False)
        older = _read(tx, own, spans, 1, around - 1, limit // 2 + 1, newest=True)
        more = len(older) > limit // 2
        messages = older[max(0, len(older) - limit // 2) :] + newer
    else:
        last = own.newest if before is None else min(own.newest, before - 1)
        messages = _read(tx, own, spans, 1, last, limit + 1, newest=True)
        more = len(messages) > limit
        messages = messages[-limit:]
    return MessagePage(messages=messages, more=more, cleared_through=own.cleared, hidden_through=own.hidden)


def _read(
    tx: Transaction, own: Side, spans: list[tuple[int, int]], first: int, last: int, limit: int, *, newest: bool
) -> list[Message]:
    pieces: list[list[Message]] = []
    for start, end in reversed(spans) if newest else spans:
        wanted = limit - sum(map(len, pieces))
        if wanted > 0 and max(start, first) <= min(end, last):
            pieces.append(
                between(
                    tx,
                    own.conversation,
                    own.conversation_id,
                    max(start, first),
                    min(end, last),
                    wanted,
                    newest=newest,
                )
            )
    found = [message for piece in (reversed(pieces) if newest else pieces) for message in piece]
    return seen_from(tx, own.account, own.conversation, own.leave_seq, found)


def _again(
    tx: Transaction, caller: Caller, where: Named, request: SendMessage, text: str, earlier: Earlier
) -> MessageSent:
    """The answer to a send that was made before, if it is the same one."""
    own = sides_by_key(tx, caller.user, [earlier.conversation])[earlier.conversation]
    message = earlier.message
    asked = digest(text, request.reply_to, request.mentions)
    if own.folded != where.folded or not (
        earlier.gone or asked == (earlier.sent or digest(message.text, message.reply_to, message.mentions))
    ):
        raise ClientIDReused()
    named_so = msgspec.structs.replace(message, conversation_id=own.conversation_id)
    [seen] = seen_from(tx, caller.user, own.conversation, own.leave_seq, [named_so])
    return MessageSent(message=seen, event_seq=position(tx, caller.user))


def _begun(tx: Transaction, caller: Caller, where: Named) -> BetweenTwo | None:
    """The one-to-one conversation, locked; None where there is none yet."""
    tx.lock_room(caller.user, where.folded)
    room = between_two(tx, caller.user, where.folded)
    if room is not None:
        tx.found_room(room.conversation)
    return room


def _begin(tx: Transaction, caller: Caller, where: Named) -> BetweenTwo:
    """Make the one-to-one conversation whose first message this is."""
    peer = account_of(tx, where.parsed.target)
    tx.lock_users((caller.user, peer.key))
    # The other side may have begun it while this waited for them.
    begun = _begun(tx, caller, where)
    if begun is None:
        key = tx.next_key("conversation")
        low, high = sorted((caller.user, peer.key))
        add_conversations(tx, [(key, C2C, low, high)])
        mine = ids.c2c(peer.user_id)
        theirs = ids.c2c(caller.user_id)
        add_sides(tx, [NewSide(caller.user, key, mine, peer.key), NewSide(peer.key, key, theirs, caller.user)])
        begun = between_two(tx, caller.user, where.folded)
        assert begun is not None
    return begun


def _mention(tx: Transaction, conversation: int, message_seq: int, called: Sequence[int]) -> None:
    """Count a message as a mention for these members."""
    tx.many(
        "INSERT INTO mention (account, conversation, seq) VALUES (?, ?, ?)",
        [(account, conversation, message_seq) for account in called],
    )
    tx.many(
        "UPDATE state SET mention_count = mention_count + 1 WHERE account = ? AND conversation = ?",
        [(account, conversation) for account in called],
    )
