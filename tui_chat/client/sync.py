"""The rules of synchronisation, without a socket: what a range of events does to the state.

Pure: `reduce` reads a view of the state and returns which entries change and what follows from it (effects, in the
order of their events). It copies nothing that does not change, since a state may hold ten thousand conversations.

Watermarks move forward only, whoever brings them; a restore alone moves them back. That is what keeps a late event, a
repeated one or an old page from bringing back what was cleared.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from tui_chat.protocol import events
from tui_chat.protocol.ids import c2c
from tui_chat.protocol.models import Conversation, Membership, Message

from .cursors import same_numbering
from .effects import (
    Arrived,
    Back,
    Blocked,
    ClearedThrough,
    DeviceGone,
    Doubtful,
    Effect,
    Emptied,
    GroupTold,
    Inexact,
    InLine,
    PeerHasRead,
    Removed,
    Renamed,
    Replaced,
    TurnedStale,
)
from .merging import NO_MARKS, Marks, forward, is_listed, marks_of, with_marks


class View(Protocol):
    """What `reduce` reads. `marks` keeps watermarks of conversations that are not listed (any more)."""

    @property
    def conversations(self) -> Mapping[str, Conversation]: ...
    @property
    def marks(self) -> Mapping[str, Marks]: ...
    @property
    def position(self) -> int | None: ...
    @property
    def cursor(self) -> str | None: ...
    @property
    def device_id(self) -> str: ...


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What a range did: entries that are new (None: no row any more), watermarks, effects, and where we are now."""

    position: int
    cursor: str
    entries: dict[str, Conversation | None] = {}
    marks: dict[str, Marks] = {}
    effects: list[Effect] = []


class Gap(msgspec.Struct, frozen=True):
    """Events are missing between ours and this range, or it is of another numbering: ask /v1/sync."""

    last: int


class Old(msgspec.Struct, frozen=True):
    """Everything in it was applied before."""


def reduce(view: View, received: events.EventRange) -> Applied | Gap | Old:
    """What `received` does to the state in `view`.

    Raises:
        msgspec.DecodeError: an event of a known kind has not its shape.
    """
    position = view.position
    if view.cursor is not None and not same_numbering(view.cursor, received.cursor):
        return Gap(received.last)  # the reset that says so is not dealt with yet
    if position is not None and received.last <= position:
        return Old()
    if position is not None and received.first > position + 1:
        return Gap(received.last)
    step = _Step(view)
    for event in received.read():
        if position is None or event.event_seq > position:
            step.apply(event)
    return Applied(
        position=received.last,
        cursor=received.cursor,
        entries=step.entries,
        marks=step.marks,
        effects=step.effects,
    )


def tell(view: View, said: Conversation) -> Applied | None:
    """What a conversation that was asked for does to the state; the position stays. None before the first sync."""
    if view.position is None or view.cursor is None:
        return None
    step = _Step(view)
    step.speaks_of(said)
    return Applied(
        position=view.position, cursor=view.cursor, entries=step.entries, marks=step.marks, effects=step.effects
    )


class _Step:
    """The changes of one range while they are worked out."""

    def __init__(self, view: View):
        self.view = view
        self.entries: dict[str, Conversation | None] = {}
        self.marks: dict[str, Marks] = {}
        self.effects: list[Effect] = []

    def row(self, conversation_id: str) -> Conversation | None:
        if conversation_id in self.entries:
            return self.entries[conversation_id]
        return self.view.conversations.get(conversation_id)

    def marks_of(self, conversation_id: str) -> Marks:
        row = self.row(conversation_id)
        if row is not None:
            return marks_of(row)
        return self.marks.get(conversation_id) or self.view.marks.get(conversation_id, NO_MARKS)

    def put(self, conversation: Conversation) -> None:
        conversation_id = conversation.conversation_id
        self.entries[conversation_id] = conversation
        self.marks[conversation_id] = marks_of(conversation)

    def drop(self, conversation_id: str, marks: Marks) -> None:
        self.entries[conversation_id] = None
        self.marks[conversation_id] = marks

    def apply(self, event: events.AnyEvent) -> None:
        HANDLERS[type(event)](self, event)

    def arrived(self, event: events.MessageNew) -> None:
        self.speaks_of(event.conversation, brings_in_line=True)
        self.effects.append(Arrived(event.message, self.is_visible(event.message)))

    def replaced(self, event: events.MessageChanged) -> None:
        self.speaks_of(event.conversation)
        self.effects.append(Replaced(event.message, self.is_visible(event.message)))

    def changed(self, event: events.ConversationChanged) -> None:
        for conversation in event.conversations:
            self.speaks_of(conversation)

    def group_changed(self, event: events.GroupChanged | events.MemberChanged) -> None:
        if event.conversation is not None:
            self.speaks_of(event.conversation)
        self.effects.append(GroupTold(event))

    def blocked(self, event: events.UserBlocked) -> None:
        self.effects.append(Blocked(event.user_id, event.blocked))

    def device_revoked(self, event: events.DeviceRevoked) -> None:
        self.effects.append(DeviceGone(event.device_id))

    def not_known(self, _: events.Unknown) -> None:
        """Of a later version: nothing but its number counts."""

    def is_visible(self, message: Message) -> bool:
        return message.message_seq > self.marks_of(message.conversation_id).cleared_through

    def speaks_of(self, said: Conversation, *, brings_in_line: bool = False) -> None:
        """The server tells how a conversation stands, not because of a deletion."""
        conversation_id = said.conversation_id
        old = self.row(conversation_id)
        marks = marks_of(old) if old is not None else self.marks_of(conversation_id)
        if old is not None and said.newest_seq < old.newest_seq:
            return  # told before something that is here already; what came after it follows
        merged = forward(said, old, marks)
        if said.membership is Membership.JOINED and _was_away(old, said):
            self.effects.append(Doubtful(conversation_id))  # who is no member is not told of what is edited
        if old is not None and not is_listed(merged):
            if said.hidden_through > marks.hidden_through:
                # Deleted elsewhere without word. Flags are taken over, the copy is kept.
                flags = {"muted": said.muted, "marked_unread": said.marked_unread, "name": said.name}
                self.put(msgspec.structs.replace(old, **flags))
                self.effects.append(TurnedStale(conversation_id))
            return
        if merged.cleared_through > marks.cleared_through:
            # Without a row there is no copy to keep, but there may be a history that a deletion has kept.
            self.effects.append(ClearedThrough(conversation_id, merged.cleared_through))
        if not is_listed(merged):
            self.marks[conversation_id] = marks_of(merged)
            return
        self.put(merged)
        if brings_in_line or merged.hidden_through > marks.hidden_through:
            self.effects.append(InLine(conversation_id))

    def renamed(self, event: events.UserChanged) -> None:
        """Somebody has another nick, or none: the row of the conversation with them is called so from now on, and
        wherever they wrote last it is said by that name."""
        user = event.user
        self.effects.append(Renamed(user))
        with_them = self.row(c2c(user.user_id))
        if with_them is not None:
            self.put(msgspec.structs.replace(with_them, name=user.nick or user.user_id))
        for conversation_id in [*self.view.conversations.keys() | self.entries.keys()]:
            row = self.row(conversation_id)
            if row is not None and (last := row.last_message) is not None and last.sender == user.user_id:
                self.put(msgspec.structs.replace(row, last_message=msgspec.structs.replace(last, nick=user.nick)))

    def deleted(self, event: events.ConversationDeleted) -> None:
        gone: list[str] = []
        cleared: list[Effect] = []
        for item in event.items:
            conversation_id = item.conversation_id
            old_marks = self.marks_of(conversation_id)
            marks = old_marks.raised(item.hidden_through, item.cleared_through)
            row = self.row(conversation_id)
            if row is not None and row.newest_seq > marks.hidden_through:
                self.put(with_marks(row, marks, pinned=False))
                self.effects.append(Inexact(conversation_id))
            else:
                if row is not None:
                    gone.append(conversation_id)
                self.drop(conversation_id, marks)
            if event.clear_history_message or marks.cleared_through > old_marks.cleared_through:
                cleared.append(ClearedThrough(conversation_id, marks.cleared_through))
        self.effects.append(
            Removed(
                [item.conversation_id for item in event.items],
                gone,
                event.clear_history_message,
                event.batch_id,
                event.undo_seconds,
                event.device,
            )
        )
        self.effects.extend(cleared)

    def cleared(self, event: events.ConversationCleared) -> None:
        """Histories emptied; the rows stay.

        The log leaves out messages that were cleared since. So a clearing may reach beyond the newest message that is
        known here, and where there is no row, beyond the deletion that took it: then the conversation came back, or
        went on, with messages of which no event tells any more.
        """
        cleared: list[Effect] = []
        for item in event.items:
            marks = self.marks_of(item.conversation_id).raised(0, item.cleared_through)
            row = self.row(item.conversation_id)
            if row is None:
                self.marks[item.conversation_id] = marks
                exact = item.cleared_through <= max(marks.hidden_through, item.hidden_through)
            else:
                self.put(with_marks(row, marks))
                exact = row.newest_seq == marks.cleared_through
            if not exact:
                cleared.append(Inexact(item.conversation_id))
            cleared.append(ClearedThrough(item.conversation_id, marks.cleared_through))
        ids = [item.conversation_id for item in event.items]
        self.effects.append(Emptied(ids, event.batch_id, event.undo_seconds, event.device))
        self.effects.extend(cleared)

    def restored(self, event: events.ConversationRestored) -> None:
        """A batch undone, which brings each conversation in line, also with what other devices did without word."""
        reappeared: list[str] = []
        reopened: list[str] = []
        for conversation in event.conversations:
            conversation_id = conversation.conversation_id
            row, marks = self.row(conversation_id), self.marks_of(conversation_id)
            if row is not None or marks == NO_MARKS or marks.cleared_through < marks.hidden_through:
                self.effects.append(Doubtful(conversation_id))  # some of it may be held: it was not cleared here
            if row is not None and row.newest_seq > conversation.newest_seq:
                # The row is from an answer that was given later: what is newer than this word keeps it, on the screen
                # too, where a deletion waits that goes no further than this word does.
                lowered = {name: getattr(conversation, name) for name in ("hidden_through", "cleared_through")}
                self.put(msgspec.structs.replace(row, **lowered))
                if conversation.cleared_through < marks.cleared_through:
                    reopened.append(conversation_id)
                if is_listed(conversation):
                    self.effects.append(InLine(conversation_id))
                self.effects.append(Inexact(conversation_id))
            elif is_listed(conversation):
                self.put(conversation)
                if row is None:
                    reappeared.append(conversation_id)
                if row is None or conversation.cleared_through < marks.cleared_through:
                    reopened.append(conversation_id)
                self.effects.append(InLine(conversation_id))
            elif row is not None:
                # Another deletion still hides it: a copy stays, with what is not cleared any more.
                if conversation.cleared_through < marks.cleared_through:
                    self.put(msgspec.structs.replace(row, cleared_through=conversation.cleared_through))
                self.effects.append(TurnedStale(conversation_id))
                continue
            else:
                self.drop(conversation_id, Marks(conversation.hidden_through, conversation.cleared_through))
            if conversation.cleared_through > marks.cleared_through:
                self.effects.append(ClearedThrough(conversation_id, conversation.cleared_through))
        ids = [conversation.conversation_id for conversation in event.conversations]
        self.effects.append(Back(ids, reappeared, reopened, event.batch_id, event.device))

    def read(self, event: events.ConversationRead) -> None:
        for item in event.items:
            row = self.row(item.conversation_id)
            if row is None or item.read_seq < row.read_seq:
                continue
            changed = {"unread_count": item.unread_count, "mention_count": item.mention_count}
            self.put(msgspec.structs.replace(row, read_seq=item.read_seq, **changed))
        peer = self.row(event.conversation_id) if event.conversation_id is not None else None
        if peer is not None and event.peer_read_seq > peer.peer_read_seq:
            self.put(msgspec.structs.replace(peer, peer_read_seq=event.peer_read_seq))
            self.effects.append(PeerHasRead(peer.conversation_id, event.peer_read_seq))


def _was_away(old: Conversation | None, said: Conversation) -> bool:
    """Whether one was no member for some time. Where the row was deleted, older messages tell that one came back."""
    return 0 < said.first_seq < said.join_seq if old is None else old.membership is not Membership.JOINED


HANDLERS: Final[Mapping[type, Callable[[_Step, Any], None]]] = {
    events.MessageNew: _Step.arrived,
    events.MessageChanged: _Step.replaced,
    events.ConversationDeleted: _Step.deleted,
    events.ConversationCleared: _Step.cleared,
    events.ConversationRestored: _Step.restored,
    events.ConversationChanged: _Step.changed,
    events.ConversationRead: _Step.read,
    events.GroupChanged: _Step.group_changed,
    events.MemberChanged: _Step.group_changed,
    events.UserChanged: _Step.renamed,
    events.UserBlocked: _Step.blocked,
    events.DeviceRevoked: _Step.device_revoked,
    events.Unknown: _Step.not_known,
}
"""Kind of event -> what it does to the state."""
