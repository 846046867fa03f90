"""How two things that are known of one conversation become one. Pure."""

from typing import Final, NamedTuple

import msgspec

from tui_chat.protocol.models import Conversation


class Marks(NamedTuple):
    """A conversation's watermarks (messageSeqs)."""

    hidden_through: int
    cleared_through: int

    def raised(self, hidden_through: int, cleared_through: int) -> "Marks":
        """The higher of each."""
        return Marks(max(self.hidden_through, hidden_through), max(self.cleared_through, cleared_through))


NO_MARKS: Final = Marks(0, 0)


def marks_of(row: Conversation) -> Marks:
    """A row's watermarks."""
    if row.hidden_through or row.cleared_through:
        return Marks(row.hidden_through, row.cleared_through)
    return NO_MARKS  # most have none, and every event asks several times


def is_listed(conversation: Conversation) -> bool:
    """Whether it has a row: its newest message, cleared or not, is above hiddenThrough."""
    return conversation.newest_seq > conversation.hidden_through


def with_marks(row: Conversation, marks: Marks, *, pinned: bool | None = None) -> Conversation:
    """The row under higher watermarks.

    What lies above them cannot be counted here, so counts are the most that there can be: exact where nothing is left
    and wherever all that is left is unread; the session asks for the rest.
    """
    left = max(0, row.newest_seq - marks.cleared_through)
    unseen = max(0, row.newest_seq - max(marks.hidden_through, marks.cleared_through, row.read_seq))
    last = row.last_message
    first = max(row.first_seq, marks.cleared_through + 1) if row.first_seq else 0
    return msgspec.structs.replace(
        row,
        hidden_through=max(row.hidden_through, marks.hidden_through),
        cleared_through=max(row.cleared_through, marks.cleared_through),
        last_message=last if last is not None and last.message_seq > marks.cleared_through else None,
        message_count=min(row.message_count, left),
        unread_count=min(row.unread_count, unseen),
        mention_count=min(row.mention_count, unseen),
        first_seq=first if left else 0,
        pinned=row.pinned if pinned is None else pinned,
    )


def forward(said: Conversation, old: Conversation | None, marks: Marks) -> Conversation:
    """What the server says, with nothing moved back behind `marks` or behind what was read."""
    merged = said
    if said.hidden_through < marks.hidden_through or said.cleared_through < marks.cleared_through:
        merged = with_marks(said, marks.raised(said.hidden_through, said.cleared_through))
    if old is not None and (old.read_seq > merged.read_seq or old.peer_read_seq > merged.peer_read_seq):
        merged = msgspec.structs.replace(
            merged,
            read_seq=max(old.read_seq, merged.read_seq),
            peer_read_seq=max(old.peer_read_seq, merged.peer_read_seq),
        )
    return merged
