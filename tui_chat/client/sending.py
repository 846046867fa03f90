"""The commands that write, read and flag."""

from collections.abc import Sequence

from tui_chat.cache.store import CacheError
from tui_chat.protocol.errors import ConversationNotFound
from tui_chat.protocol.ids import new_identifier, parse_conversation_id
from tui_chat.protocol.models import Message
from tui_chat.protocol.requests import ConversationsChanged, ItemFailure, MessageSent
from tui_chat.protocol.text import accept_text

from . import changes
from .core import Core
from .deleting import checked
from .entries import AnyEntry, QueuedFlags, QueuedRead, QueuedSend
from .outbox import Ticket, Waits
from .problems import not_stored


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
    (ticket,) = _submit(core, [entry])
    echo = core.echoes.show(entry)
    core.announcer.put(changes.MessagesAdded(conversation_id=conversation_id, messages=[echo]))
    match await ticket.outcome():
        case MessageSent(message=message):
            return message
        case Waits():
            return echo
        case _:
            raise ConversationNotFound("the conversation was deleted before the message could be sent")


def pending(core: Core, conversation_id: str) -> list[Message]:
    """One's own messages that wait, oldest first."""
    return [
        core.echoes.message(slot.entry)
        for slot in core.outbox.queue.slots_of(conversation_id)
        if isinstance(slot.entry, QueuedSend) and not core.outbox.queue.suspended(slot)
        if core.echoes.stands(slot.entry.client_id)
    ]


async def mark_read(core: Core, conversation_id: str, message_seq: int | None) -> None:
    """Move the read mark forward, to the newest message unless told otherwise; never back."""
    row = core.state.shown.get(conversation_id)
    through = message_seq if message_seq is not None else (row.newest_seq if row is not None else 0)
    if row is None or (through <= row.read_seq and not row.unread_count):
        return
    entry = QueuedRead(conversation_id=conversation_id, message_seq=through, operation_id=new_identifier())
    (ticket,) = _submit(core, [entry])
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
    ids = checked(core, conversation_id_list)
    size = core.server.limits.conversations_a_call
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
    for ticket in _submit(core, entries):
        answer = await ticket.outcome()
        if isinstance(answer, ConversationsChanged):
            failures.extend(answer.failures)
    return failures


def _submit(core: Core, entries: list[AnyEntry]) -> list[Ticket]:
    try:
        return core.outbox.submit(entries)
    except CacheError as error:
        raise not_stored(error) from error
