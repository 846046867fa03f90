"""A message on its way to everybody who sees it: one row, and one event for each of them."""

from typing import NamedTuple

import msgspec

from tui_chat.protocol.events import MessageNew
from tui_chat.protocol.models import Conversation, Message, MessageType, Tip
from tui_chat.server.engines import Transaction

from .eventlog import Outgoing, emit
from .history import THE_SYSTEM, Sender, append, as_last
from .state import C2C, GROUP, Extra, Face, Side, audience, past_periods, shown, side


class Reached(NamedTuple):
    """One who sees the message: the account, its userID, and its Conversation with the message in it."""

    side: Side
    user_id: str
    message: Message
    conversation: Conversation


def reach(tx: Transaction, conversation: int, message: Message) -> list[Reached]:
    """Everybody who sees a message that was just written, with what it looks like to each of them."""
    members = audience(tx, conversation, message.message_seq)
    past = past_periods(tx, (one for one, _, _ in members))
    last = as_last(message)
    face = Face("", last_message=last)
    if members and members[0][0].kind == GROUP:
        row = tx.one("SELECT name, member_count FROM chat_group WHERE conversation = ?", conversation)
        if row is not None:
            face = Face(row[0], row[1], last_message=last)
    reached = []
    for one, user_id, _ in members:
        if one.kind == C2C:
            peer, peer_id, peer_nick = members[0] if members[0][0].account == one.peer else members[-1]
            face = Face(peer_nick or peer_id, None, peer.read_seq, last)
        seen = message
        if one.conversation_id != message.conversation_id:
            seen = msgspec.structs.replace(message, conversation_id=one.conversation_id)
        reached.append(Reached(one, user_id, seen, shown(one, face, past.get((one.account, one.conversation), ()))))
    return reached


def announce(tx: Transaction, reached: list[Reached]) -> dict[int, int]:
    """Tell each of them of the new message; the last eventSeq of each."""
    return emit(
        tx,
        [
            Outgoing(
                one.side.account,
                one.user_id,
                MessageNew(message=one.message, conversation=one.conversation),
                conversation=one.side.conversation,
            )
            for one in reached
        ],
    )


def as_written(
    tx: Transaction,
    *,
    conversation_id: str,
    message_seq: int,
    sender: Sender,
    kind: MessageType,
    text: str,
    client_id: str = "",
    extra: Extra,
) -> Message:
    """The Message of what `append` has written in this transaction."""
    return Message(
        conversation_id=conversation_id,
        message_seq=message_seq,
        client_id=client_id,
        sender=sender.user_id,
        time=tx.now,
        type=kind,
        text=text,
        nick=sender.nick,
        tip=extra.tip,
        reply_to=extra.reply_to,
        mentions=extra.mentions,
    )


def notify(tx: Transaction, account: int, system_folded: str, tip: Tip, text: str) -> None:
    """Put a notice into a user's @TIM#SYSTEM."""
    own = side(tx, account, system_folded)
    if own is None:
        raise LookupError(f"account {account} has no conversation with the system")
    extra = Extra(tip=tip)
    stored = append(tx, own.conversation, sender=THE_SYSTEM.account, kind=MessageType.NOTICE, text=text, extra=extra)
    message = as_written(
        tx,
        conversation_id=own.conversation_id,
        message_seq=stored.seq,
        sender=THE_SYSTEM,
        kind=MessageType.NOTICE,
        text=text,
        extra=extra,
    )
    announce(tx, reach(tx, own.conversation, message))
