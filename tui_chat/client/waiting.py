"""What waits in the queue, for people to see and to give up."""

from tui_chat.protocol.errors import NotConnected, OperationNotFound

from .carrying import what_of
from .core import Core
from .entries import AnyEntry, MessageEntry
from .overlay import standing
from .queueing import Phase
from .results import QueuedCommand


def commands(core: Core) -> list[QueuedCommand]:
    """What the server has not confirmed, in order."""
    return [
        QueuedCommand(
            number=slot.entry_id,
            what=what_of(slot.entry),
            conversation_id_list=list(slot.entry.conversations()),
            message_seq=_message_seq(core, slot.entry),
            attempted=slot.entry.attempted,
            error=slot.problem.body() if slot.problem is not None else None,
            held=slot.held,
        )
        for slot in core.outbox.queue
        if slot.phase is not Phase.ANSWERED
    ]


def _message_seq(core: Core, entry: AnyEntry) -> int | None:
    """Which message it changes; None where the number stands for another one by now."""
    return entry.message_seq if isinstance(entry, MessageEntry) and standing([entry], core.state.cursor) else None


def drop(core: Core, number: int) -> None:
    """Give a command up. What an attempt at it may have done already stays done, and is shown when its event comes.

    Raises:
        OperationNotFound: it is not in the queue (any more), or the server is being asked just now.
    """
    for slot in core.outbox.queue:
        if slot.entry_id == number and core.outbox.drop(slot):
            core.carrying.dropped(slot.entry, slot.problem or NotConnected("it was taken out of the queue"))
            return
    raise OperationNotFound("that command does not wait in the queue")
