"""What `message` has beside its text: the numbers of the types, and the column `extra`, which few messages have."""

from typing import Final

import msgspec

from tui_chat.protocol.models import MessageType, Tip

MESSAGE_TYPES: Final = (MessageType.TEXT, MessageType.TIP, MessageType.NOTICE, MessageType.CUSTOM)
"""By the number under which the database has them."""


class Tally(msgspec.Struct, frozen=True, array_like=True):
    """How many reacted with one emoji, and the userIDs of the first limits.REACTION_USERS."""

    count: int
    first: list[str]


class Extra(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What few messages have: the column `message.extra`."""

    reply_to: int | None = None
    mentions: list[str] = []
    tip: Tip | None = None
    reactions: dict[str, Tally] = {}
    recalled_by: str | None = None
    sent: str | None = None
    """Of an edited message: the digest of what was sent first, by which a retry is recognised."""


_EXTRA = msgspec.json.Decoder(Extra)
NO_EXTRA: Final = Extra()
_PREVIEW_USERS: Final = 5
"""Users of a tip that a preview names."""


def read_extra(text: str | None) -> Extra:
    """The column `message.extra`."""
    return NO_EXTRA if text is None else _EXTRA.decode(text)


def short_tip(tip: Tip | None) -> Tip | None:
    """A tip for a preview, with the first few of its users."""
    if tip is None or len(tip.user_id_list) <= _PREVIEW_USERS:
        return tip
    count = tip.user_count or len(tip.user_id_list)
    return msgspec.structs.replace(tip, user_id_list=tip.user_id_list[:_PREVIEW_USERS], user_count=count)
