"""The commands that write and change messages, mark as read, and flag."""

from collections.abc import Sequence
from contextlib import suppress

import msgspec

from tui_chat.protocol.emoji import accept_emoji
from tui_chat.protocol.errors import ConversationNotFound, MessageNotFound, ServerRestored
from tui_chat.protocol.ids import new_identifier, parse_conversation_id
from tui_chat.protocol.models import Message
from tui_chat.protocol.requests import ConversationsChanged, ItemFailure, MessageSent
from tui_chat.protocol.text import accept_text

from . import changes
from .core import Core
from .deleting import checked
from .entries import (
    AnyEntry,
    MessageEntry,
    QueuedEdit,
    QueuedFlags,
    QueuedReaction,
    QueuedRead,
    QueuedRecall,
    QueuedSend,
)
from .outbox import Ticket, Waits
from .overlay import standing


async def send(
    core: Core, conversation_id: str, text: str, *, reply_to: int | None = None, mentions: Sequence[str] = ()
) -> Message:
    """Queue a message, with its echo on the screen at once; returns it with its number, or the echo while it waits."""
    parse_conversation_id(conversation_id)
    entry = QueuedSend(
        conversation_id=conversation_id,
        client_id=new_identifier(),
        text=accept_text(text),
        reply_to=reply_to,
        mentions=list(mentions),
        time=core.clock(),
    )
    (ticket,) = await _submit(core, [entry])
    echo = core.echoes.show(entry)
    core.announcer.put(changes.MessagesAdded(conversation_id=conversation_id, messages=[echo]))
    match await ticket.outcome():
        case MessageSent(message=message):
            return message
        case Waits():
            return echo
        case _:
            raise ConversationNotFound("the conversation was deleted before the message could be sent")


async def edit(
    core: Core, conversation_id: str, message_seq: int, text: str, *, mentions: Sequence[str] | None = None
) -> Message | None:
    """Queue another text for a message; returns it as it is then, or as it is shown while that waits.

    None where it waits and the message is not on this machine.
    """
    entry = QueuedEdit(
        conversation_id=_numbered(conversation_id, message_seq),
        message_seq=message_seq,
        text=accept_text(text),
        mentions=list(mentions) if mentions is not None else None,
        operation_id=new_identifier(),
        time=core.clock(),
    )
    return await _change(core, entry)


async def recall(core: Core, conversation_id: str, message_seq: int) -> Message | None:
    """Queue a recall; returns as `edit`."""
    entry = QueuedRecall(
        conversation_id=_numbered(conversation_id, message_seq), message_seq=message_seq, operation_id=new_identifier()
    )
    return await _change(core, entry)


async def react(core: Core, conversation_id: str, message_seq: int, emoji: str, *, there: bool) -> Message | None:
    """Queue a reaction, or that it is taken back; returns as `edit`."""
    entry = QueuedReaction(
        conversation_id=_numbered(conversation_id, message_seq),
        message_seq=message_seq,
        emoji=accept_emoji(emoji),
        there=there,
    )
    return await _change(core, entry)


def _numbered(conversation_id: str, message_seq: int) -> str:
    """The conversationID. Raises MessageNotFound for a message that the server has not numbered yet."""
    parse_conversation_id(conversation_id)
    if message_seq < 1:
        raise MessageNotFound("that message has not been sent yet")
    return conversation_id


async def _change(core: Core, entry: MessageEntry) -> Message | None:
    (ticket,) = await _submit(core, [entry])
    match await ticket.outcome():
        case MessageSent(message=message):
            return core.overlaid(message)
        case _:
            return core.shown_message(entry.conversation_id, entry.message_seq)


def pending(core: Core, conversation_id: str) -> list[Message]:
    """One's own messages that wait, oldest first."""
    return [
        _echo(core, slot.entry)
        for slot in core.outbox.queue.slots_of(conversation_id)
        if isinstance(slot.entry, QueuedSend) and not core.outbox.queue.suspended(slot)
        if core.echoes.stands(slot.entry.client_id)
    ]


def _echo(core: Core, entry: QueuedSend) -> Message:
    """How it looks. What it answers stands under another number by now where the server was restored from a backup."""
    echo = core.echoes.message(entry)
    return echo if standing([entry], core.state.cursor) else msgspec.structs.replace(echo, reply_to=None)


async def mark_read(core: Core, conversation_id: str, message_seq: int | None) -> None:
    """Move the read mark forward, to the newest message unless told otherwise; never back. What was flagged as unread
    by hand is read, too. Where the server was restored from a backup meanwhile it stays: it moves when one reads on."""
    cursor = core.state.cursor if message_seq is not None else None
    await core.ready()
    row = core.state.shown.get(conversation_id)
    through = message_seq if message_seq is not None else (row.newest_seq if row is not None else 0)
    if row is None or (through <= row.read_seq and not row.unread_count and not row.marked_unread):
        return
    entry = QueuedRead(conversation_id=conversation_id, message_seq=through, operation_id=new_identifier())
    (ticket,) = core.submit([entry], cursor)
    with suppress(ServerRestored):
        await ticket.outcome()


async def set_flags(
    core: Core,
    conversation_id_list: Sequence[str],
    *,
    pinned: bool | None = None,
    muted: bool | None = None,
    marked_unread: bool | None = None,
) -> list[ItemFailure]:
    """Change flags of any number; returns what was refused. Raises ChatError where a call is refused whole."""
    await core.ready()
    ids = checked(core, conversation_id_list)
    size = core.identity.server.limits.conversations_a_call
    entries: list[AnyEntry] = [
        QueuedFlags(
            conversation_id_list=ids[start : start + size],
            pinned=pinned,
            muted=muted,
            marked_unread=marked_unread,
            operation_id=new_identifier(),
        )
        for start in range(0, len(ids), size)
    ]
    failures: list[ItemFailure] = []
    for ticket in await _submit(core, entries):
        answer = await ticket.outcome()
        if isinstance(answer, ConversationsChanged):
            failures.extend(answer.failures)
    return failures


async def _submit(core: Core, entries: list[AnyEntry]) -> list[Ticket]:
    """Queue commands whose numbers are of the state as it is now, before the server may be found restored."""
    cursor = core.state.cursor
    await core.ready()
    return core.submit(entries, cursor)
