"""One conversation as one line of the list, 22 to some 100 cells wide.

▌◉ 📌 #planning (left) ≠ ✎        12:40  14 @
cursor, mark, pin, name, what is odd about it, time, unread, mention
"""

from enum import StrEnum
from typing import Final

import msgspec

from tui_chat.locale import _
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, LastMessage, Membership, MessageType
from tui_chat.tui.safe import Safe, fill, join, line, number, own
from tui_chat.tui.themes import Symbols

from .cells import Line, Piece, elide, fit, fit_right, line_width, spaces, width
from .times import Times
from .tips import tip_text

TIME_FROM: Final = 30
"""Narrower rows have no time."""
PREVIEW_FROM: Final = 64
"""Wider rows show the newest message."""
NAME_LEAST: Final = 8
NAME_BESIDE_PREVIEW: Final = 28
"""Column at which the preview begins, less two."""


class RowState(StrEnum):
    """What is happening to a row; a mark on it, never the conversation's state."""

    NORMAL = "normal"
    DELETING = "deleting"
    FAILED = "failed"
    FLASH = "flash"
    """It was just deleted and goes in a moment."""


class ConversationRow(msgspec.Struct, frozen=True, kw_only=True):
    """All that one row shows."""

    conversation: Conversation
    cursor: bool = False
    marked: bool = False
    state: RowState = RowState.NORMAL
    reason: str = ""
    """Why the last command failed on it."""
    stale: bool = False
    online: bool = False
    """One-to-one: the other side is there."""
    draft: bool = False


def conversation_name(conversation: Conversation) -> Safe:
    """The name as it is shown; the system's conversation is named in the reader's language."""
    if conversation.type is ConversationType.SYSTEM:
        return own(_("System"))
    # A name of invisible characters alone is none: nobody could tell such rows apart.
    return line(conversation.name) or line(conversation.conversation_id)


def preview_text(last: LastMessage | None, own_id: str, *, group: bool) -> Safe:
    """The newest message on one line; in groups with who wrote it."""
    if last is None:
        return own("")
    if last.recalled:
        return own(_("message taken back"))
    if last.type in (MessageType.TIP, MessageType.NOTICE):
        return tip_text(last.tip, last.text, own_id, notice=last.type is MessageType.NOTICE)
    if last.sender == own_id:
        return fill(_("you: {text}"), text=last.text)
    return fill("{name}: {text}", name=last.nick or last.sender, text=last.text) if group else line(last.text)


def conversation_row(row: ConversationRow, cells: int, symbols: Symbols, times: Times, own_id: str) -> Line:
    """The row as pieces that fill exactly so many cells."""
    conversation = row.conversation
    left = _signs(row, symbols)
    right = _right(row, cells, symbols, times)
    room = cells - line_width(left) - line_width(right)
    if row.state is RowState.FAILED:
        return _with_reason(row, left, cells, symbols)
    preview = cells >= PREVIEW_FROM and row.state is RowState.NORMAL
    suffix = _suffix(row, symbols)
    name_room = NAME_BESIDE_PREVIEW - line_width(left) if preview else room
    middle = _named(row, name_room, suffix, symbols)
    if preview:
        text = preview_text(conversation.last_message, own_id, group=conversation.type is ConversationType.GROUP)
        rest = room - line_width(middle)
        middle = [*middle, Piece(spaces(2)), Piece(fit(text, rest - 2, symbols.ellipsis), "preview")]
    pieces = [*left, *middle, *right]
    # Reversed, each colour would be a ground of its own.
    return [Piece(piece.text) for piece in pieces] if row.state is RowState.FLASH else pieces


def _signs(row: ConversationRow, symbols: Symbols) -> Line:
    conversation = row.conversation
    if row.marked:
        mark = Piece(symbols.marked, "mark")
    elif (conversation.unread_count or conversation.marked_unread) and not conversation.muted:
        mark = Piece(symbols.unread, "unread")
    else:
        mark = Piece(spaces(1))
    cursor = Piece(symbols.cursor, "cursor-sign") if row.cursor else Piece(spaces(1))
    pieces = [cursor, mark, Piece(spaces(1))]
    return [*pieces, Piece(symbols.pinned, "sign")] if conversation.pinned else pieces


def _suffix(row: ConversationRow, symbols: Symbols) -> Line:
    pieces: Line = [Piece(join(own(" "), symbols.online), "sign")] if row.online else []
    match row.conversation.membership:
        case Membership.LEFT:
            pieces.append(Piece(own(" " + _("(left)")), "dim"))
        case Membership.KICKED:
            pieces.append(Piece(own(" " + _("(removed)")), "dim"))
        case Membership.DISMISSED:
            pieces.append(Piece(own(" " + _("(dismissed)")), "dim"))
    if row.conversation.muted:
        pieces.append(Piece(join(own(" "), symbols.muted), "dim"))
    if row.stale:
        pieces.append(Piece(join(own(" "), symbols.stale), "warning"))
    if row.draft:
        pieces.append(Piece(join(own(" "), symbols.draft), "sign"))
    return pieces


def _named(row: ConversationRow, cells: int, suffix: Line, symbols: Symbols) -> Line:
    conversation = row.conversation
    while suffix and cells - line_width(suffix) < min(NAME_LEAST, width(conversation.name)):
        suffix = suffix[1:]
    if row.state is RowState.DELETING:
        style = "dim"
    elif conversation.unread_count and not conversation.muted:
        style = "name-unread"
    else:
        style = "name"
    name = elide(conversation_name(conversation), cells - line_width(suffix), symbols.ellipsis)
    used = width(name) + line_width(suffix)
    return [Piece(name, style), *suffix, Piece(spaces(cells - used))]


def _right(row: ConversationRow, cells: int, symbols: Symbols, times: Times) -> Line:
    if row.state is RowState.DELETING:
        return [Piece(join(own(" "), symbols.word(_("deleting…")), own(" ")), "warning")]
    conversation = row.conversation
    count = conversation.unread_count
    badge = own("99+") if count > 99 else number(count) if count else own("")
    style = "dim" if conversation.muted else "badge"
    pieces = [Piece(own(" "))]
    if cells >= TIME_FROM:
        moment = times.short(conversation.time)
        pieces.append(Piece(fit(moment, times.column, symbols.ellipsis), "time"))
    pieces.append(Piece(fit_right(badge, 4, symbols.ellipsis), style))
    mention = symbols.mention if conversation.mention_count else own(" ")
    pieces.append(Piece(join(own(" "), mention), "mention"))
    return pieces


def _with_reason(row: ConversationRow, left: Line, cells: int, symbols: Symbols) -> Line:
    room = cells - line_width(left) - 1
    name = conversation_name(row.conversation)
    name_room = min(width(name), max(NAME_LEAST, room - width(line(row.reason)) - 3))
    rest = room - name_room - 1
    return [
        *left,
        Piece(fit(name, name_room, symbols.ellipsis), "name"),
        Piece(own(" ")),
        Piece(fit(join(symbols.failed, own(" "), line(row.reason)), rest, symbols.ellipsis), "error"),
        Piece(own(" ")),
    ]
