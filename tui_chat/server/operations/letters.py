"""Messages on their way from one to one other, by the shortest way: as many as there are in the statements of one, and
what each is told is made when somebody is there to be told. What posting.py makes of the same message is the same."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from tui_chat.protocol.events import MessageNew
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import LastMessage, Message, MessageType
from tui_chat.protocol.requests import MessageSent
from tui_chat.server.engines import Emitted, ToBeMade, Transaction

from .caller import Caller
from .eventlog import LOG_MESSAGE, LogRow, Numbers, log_row
from .extras import NO_EXTRA, Extra
from .history import NEWEST, READ_ALL, TEXT, UNINDEXED, WRITE, Sender, Stored, as_last, extra_column
from .posting import as_written
from .rooms import BetweenTwo, numbers


class Letter(NamedTuple):
    """A text for the one-to-one conversation `room`, which is locked and as that says."""

    caller: Caller
    room: BetweenTwo
    client_id: str
    text: str
    extra: Extra = NO_EXTRA
    mentions: bool = False
    """Whether it names the other one."""


class OneOfTwo(ToBeMade, frozen=True, gc=False):
    """The event of one of two who talk with each other."""

    event_seq: int
    message: Message
    conversation_id: str
    name: str
    last: LastMessage
    numbers: Numbers

    def raw(self) -> bytes:
        """The event's JSON."""
        message = self.message
        if message.conversation_id != self.conversation_id:
            message = msgspec.structs.replace(message, conversation_id=self.conversation_id)
        conversation = self.numbers.conversation(self.conversation_id, ConversationType.C2C, self.name, self.last)
        return msgspec.json.encode(MessageNew(event_seq=self.event_seq, message=message, conversation=conversation))


def deliver(tx: Transaction, letters: Sequence[Letter]) -> list[MessageSent] | None:
    """Write letters, each into another conversation, and tell both sides of each. None where a sender has used a
    clientID before; then nothing has happened."""
    if not _write(tx, letters):
        return None
    newest = _take_event_seqs(tx, letters)
    now, emitted = tx.now, tx.emitted
    log: list[LogRow] = []
    sent: list[MessageSent] = []
    for caller, room, client_id, text, extra, mentions in letters:
        seq, so_far = stored = Stored(room.last_seq + 1, room.last_count + 1)
        message = as_written(
            tx,
            conversation_id=room.conversation_id,
            message_seq=seq,
            sender=Sender(caller.user, caller.user_id, room.nick),
            kind=MessageType.TEXT,
            text=text,
            client_id=client_id,
            extra=extra,
        )
        last = as_last(message)
        peer_read = room.their_read_seq or 0
        # Sending reads everything.
        its = numbers(stored, now, 0, 0, room.cleared, so_far, 0, seq, room.hidden, room.flags, seq, peer_read)
        newest[caller.user] = event_seq = newest[caller.user] + 1
        event = OneOfTwo(event_seq, message, room.conversation_id, room.peer_nick or room.peer_id, last, its)
        emitted.append(Emitted(caller.user, event_seq, None, event))
        log.append(log_row(caller.user, event_seq, now, room.conversation, seq, its))
        sent.append(MessageSent(message=message, event_seq=event_seq))
        their_conversation_id, position = room.their_conversation_id, newest.get(room.peer)
        if their_conversation_id is not None and position is not None:
            its = numbers(
                stored,
                now,
                0,
                0,
                room.their_cleared,
                room.their_floor_count,
                room.their_mention_count + mentions,
                room.their_read_seq,
                room.their_hidden,
                room.their_flags,
                room.their_sent_seq,
                seq,
            )
            newest[room.peer] = event_seq = position + 1
            event = OneOfTwo(event_seq, message, their_conversation_id, room.nick or caller.user_id, last, its)
            emitted.append(Emitted(room.peer, event_seq, None, event))
            log.append(log_row(room.peer, event_seq, now, room.conversation, seq, its))
    tx.many(LOG_MESSAGE, log)
    return sent


def _write(tx: Transaction, letters: Sequence[Letter]) -> bool:
    """Write each as its conversation's next message, and let its sender have read everything there. False, and nothing
    is written, where a sender has used a clientID before."""
    now = tx.now
    messages, newest, read, unindexed = [], [], [], []
    for caller, room, client_id, text, extra, _ in letters:
        seq, so_far, conversation, user = room.last_seq + 1, room.last_count + 1, room.conversation, caller.user
        messages.append((conversation, seq, user, client_id, now, TEXT, so_far, text, extra_column(extra)))
        newest.append((seq, so_far, now, conversation))
        if not room.unindexed:
            unindexed.append((conversation,))
        read.append((seq, seq, so_far, user, conversation))
    written = tx.touched(WRITE, messages)
    if written < len(letters):
        if written:
            # None but these: there was nothing under their numbers before.
            tx.many("DELETE FROM message WHERE conversation = ? AND seq = ?", [message[:2] for message in messages])
        return False
    tx.many(NEWEST, newest)
    tx.many(READ_ALL, read)
    if unindexed:
        tx.many(UNINDEXED, unindexed)
    return True


def _take_event_seqs(tx: Transaction, letters: Sequence[Letter]) -> dict[int, int]:
    """Take a number for the event of each who is told of each letter; where their logs stood."""
    stood: dict[int, int] = {}
    wanted: dict[int, int] = {}
    for caller, room, _, _, _, _ in letters:
        if room.position is not None:
            stood[caller.user] = room.position
            wanted[caller.user] = wanted.get(caller.user, 0) + 1
        if room.their_conversation_id is not None and room.peer_position is not None:
            stood[room.peer] = room.peer_position
            wanted[room.peer] = wanted.get(room.peer, 0) + 1
    return tx.take_event_seqs(wanted, stood)
