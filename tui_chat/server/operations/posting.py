"""A message on its way to everybody who sees it: one row, and one event for each of them."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from tui_chat.protocol.events import MessageNew
from tui_chat.protocol.models import Conversation, LastMessage, Message, MessageType
from tui_chat.server.engines import Transaction

from .eventlog import Outgoing, emit
from .extras import Extra
from .history import Sender, as_last
from .state import GROUP, Face, Seat, Side, audience, past_periods, shown


class Reached(NamedTuple):
    """One who sees the message: the account, its userID, and its Conversation with the message in it."""

    side: Side
    user_id: str
    message: Message
    conversation: Conversation


def reach(tx: Transaction, conversation: int, message: Message) -> list[Reached]:
    """Everybody who sees a message that was just written, with what it looks like to each of them."""
    return seen_by(tx, audience(tx, conversation, message.message_seq), message)


def seen_by(tx: Transaction, seats: Sequence[Seat], message: Message, last: LastMessage | None = None) -> list[Reached]:
    """The same for those in `seats`, whose sides are as they are after the message. `last` is the conversation's newest
    message where that is another one."""
    if not seats:
        return []
    last = last or as_last(message)
    one = seats[0].side
    if one.kind == GROUP:
        name, member_count, muted_all = tx.one(
            "SELECT name, member_count, muted FROM chat_group WHERE conversation = ?", one.conversation
        ) or ("", None, 0)
        faces = [Face(name, member_count, 0, last, muted_all == 1)] * len(seats)
    elif len(seats) > 1:
        # The two of a one-to-one conversation, each named after the other.
        faces = [Face(peer.nick or peer.user_id, None, peer.side.read_seq, last) for peer in reversed(seats)]
    else:
        # The system's has no name; of a one-to-one conversation the other side was erased.
        name = one.conversation_id.removeprefix("C2C") if one.peer else ""
        faces = [Face(name, peer_read_seq=one.peer_read, last_message=last)]
    past = past_periods(tx, (seat.side for seat in seats))
    return [
        Reached(
            one,
            user_id,
            message
            if one.conversation_id == message.conversation_id
            else msgspec.structs.replace(message, conversation_id=one.conversation_id),
            shown(one, face, past.get((one.account, one.conversation), ())),
        )
        for (one, user_id, _), face in zip(seats, faces, strict=True)
    ]


def announce(tx: Transaction, reached: list[Reached]) -> dict[int, int]:
    """Tell each of them of the new message; the last eventSeq of each."""
    return emit(
        tx,
        [
            Outgoing(
                one.side.account,
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
