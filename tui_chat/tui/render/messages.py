"""One message as lines of the pane: time and nick in columns, the text wrapped beside them, by cells.

12:38 pelo      check the drop-down list at the top
                of the window
"""

import zlib
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from tui_chat.locale import _, ngettext
from tui_chat.protocol.models import Message, MessageType
from tui_chat.tui.safe import BODY_LINES, Safe, fill, join, line, lines, own, repeat
from tui_chat.tui.themes import Symbols

from .cells import Line, Piece, elide, fit, line_width, spaces, width, wrap
from .formatting import FENCE, cut, formatted, highlighted
from .times import Times
from .tips import tip_text

NICK_STYLES: Final = 5
"""Colours of nicks; which one somebody has follows from the userID."""
NARROW: Final = 44
"""Panes below have no columns: time and nick are left away or stand before the text."""
STATE_CELLS: Final = 3
REACTIONS_MOST: Final = 20
"""Kinds that are drawn; a server allows fewer."""


NO_END: Final = own("")
"""Nothing became of it yet, or it is no application."""


class OwnState(StrEnum):
    """What became of one's own message."""

    NONE = "none"
    SENDING = "sending"
    SENT = "sent"
    READ = "read"
    FAILED = "failed"


class MessageLine(NamedTuple):
    """One line of the pane."""

    pieces: Line
    prefix: int = 0
    """Characters before the text: columns or indent."""
    joined: str | None = None
    """For a line that goes on from the one before: what stood between them where it was broken."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """All that the drawing of one message depends on, besides the width."""

    message: Message
    state: OwnState = OwnState.NONE
    reason: str = ""
    """Why it was not sent."""
    refused: str = ""
    """Why a change of it was refused."""
    end: Safe = NO_END
    """Of an application that a notice tells of: what became of it."""
    quoted: Message | None = None
    """The message that it answers, where that is at hand."""
    new_day: bool = False
    """A separator with the day stands above."""
    first_new: bool = False
    """The line that says "new" stands above."""


class MessageStyle(NamedTuple):
    """What is the same for all messages of a pane."""

    cells: int
    symbols: Symbols
    times: Times
    own_id: str
    name_of: Callable[[str], str] = str
    words: tuple[str, ...] = ()
    """What is looked for; shown as found."""


def message_lines(shown: Shown, style: MessageStyle) -> list[MessageLine]:
    """The lines, each without the first column, which is the cursor's; separators that stand above come first."""
    above = []
    if shown.new_day:
        above.append(separator(style.times.day(shown.message.time), style, "day"))
    if shown.first_new:
        above.append(separator(own(_("new")), style, "new"))
    message = shown.message
    if message.type in (MessageType.TIP, MessageType.NOTICE):
        notice = message.type is MessageType.NOTICE
        text = tip_text(message.tip, message.text, style.own_id, style.name_of, notice=notice)
        return above + _tip(text, shown.end, message, style)
    return above + _text(shown, style)


def separator_count(shown: Shown) -> int:
    """How many of the message's lines stand above it."""
    return int(shown.new_day) + int(shown.first_new)


def separator(text: Safe, style: MessageStyle, name: str) -> MessageLine:
    """── text ─────────"""
    rule = style.symbols.rule
    inner = elide(text, max(style.cells - 6, 1), style.symbols.ellipsis)
    rest = repeat(rule, style.cells - width(inner) - 4)
    return MessageLine([Piece(join(rule, rule, own(" "), inner, own(" "), rest), name)])


def nick_style(user_id: str) -> str:
    """The style of somebody's nick; the same on every device."""
    number = zlib.crc32(user_id.lower().encode(errors="replace"))
    return f"nick{number % NICK_STYLES}"


def nick_cells(cells: int) -> int:
    """Width of the nick's column in a pane of that width."""
    return 0 if cells < NARROW else 9 if cells < 72 else 12


def _head(message: Message, style: MessageStyle) -> Line:
    mine = message.sender == style.own_id
    name = own(_("you")) if mine else line(message.nick or style.name_of(message.sender))
    nick = "nick-own" if mine else nick_style(message.sender)
    column = nick_cells(style.cells)
    ellipsis = style.symbols.ellipsis
    if not column:
        return [Piece(elide(name, max(style.cells // 2, 3), ellipsis), nick), Piece(own(": "), "dim")]
    return [
        *(Piece(style.times.clock(message.time), "time"), Piece(own(" "))),
        *(Piece(fit(name, column, ellipsis), nick), Piece(own(" "))),
    ]


def _tip(text: Safe, end: Safe, message: Message, style: MessageStyle) -> list[MessageLine]:
    head: Line = []
    if column := nick_cells(style.cells):
        sign = join(spaces(column - width(style.symbols.bullet)), style.symbols.bullet, own(" "))
        head = [Piece(style.times.clock(message.time), "time"), Piece(own(" ")), Piece(sign, "dim")]
    said: Line = [Piece(text, "tip")]
    became: list[Line] = [[Piece(style.symbols.word(f"→ {end}"), "dim")]] if end else []
    return _beside(head, [said, *became], style.cells)


def _text(shown: Shown, style: MessageStyle) -> list[MessageLine]:
    message, symbols = shown.message, style.symbols
    head = _head(message, style)
    mine = shown.state is not OwnState.NONE
    room = style.cells - (STATE_CELLS if mine and nick_cells(style.cells) else 0)
    body = _quote(shown, style, room - line_width(head)) + _body(message, style)
    result = _beside(head, body, room)
    if mine and shown.state is not OwnState.FAILED:
        _put_state(result, shown.state, style)
    for reason in _failures(shown):
        failure = [Piece(join(symbols.failed, own(" "), reason), "error")]
        indent = line_width(head) if nick_cells(style.cells) else 2
        result += _beside([Piece(spaces(indent))], [failure], style.cells)
    return result


def _failures(shown: Shown) -> list[Safe]:
    """What went wrong with it, in words."""
    said: list[Safe] = []
    if shown.state is OwnState.FAILED:
        said.append(fill(_("not sent: {reason}"), reason=shown.reason) if shown.reason else own(_("not sent")))
    if shown.refused:
        said.append(fill(_("not changed: {reason}"), reason=shown.refused))
    return said


def _put_state(result: list[MessageLine], state: OwnState, style: MessageStyle) -> None:
    sign = {
        OwnState.SENDING: style.symbols.sending,
        OwnState.SENT: style.symbols.sent,
        OwnState.READ: style.symbols.read,
    }[state]
    last = result[-1]
    gap = style.cells - line_width(last.pieces) - width(sign)
    if gap > 0:
        result[-1] = last._replace(pieces=[*last.pieces, Piece(spaces(gap)), Piece(sign, f"state-{state.value}")])


def _quote(shown: Shown, style: MessageStyle, cells: int) -> list[Line]:
    message = shown.message
    if message.reply_to is None:
        return []
    bar = join(style.symbols.quote, own(" "))
    if shown.quoted is None:
        said = own(_("an earlier message"))
    elif shown.quoted.recalled:
        said = own(_("message taken back"))
    else:
        who = shown.quoted.nick or shown.quoted.sender
        said = fill(
            "{name}: {text}", name=_("you") if shown.quoted.sender == style.own_id else who, text=shown.quoted.text
        )
    return [[Piece(elide(join(bar, said), max(cells, 4), style.symbols.ellipsis), "quote")]]


def _body(message: Message, style: MessageStyle) -> list[Line]:
    if message.recalled:
        by = message.recalled_by
        said = own(_("message taken back")) if by is None else fill(_("taken back by {name}"), name=style.name_of(by))
        return [[Piece(said, "tip")]]
    mention = style.own_id if message.mentions else ""
    result: list[Line] = []
    in_code = False
    rows = lines(message.text)
    for row in rows:
        if row.lstrip().startswith(FENCE):
            in_code = not in_code
            result.append([Piece(row, "dim")])
        else:
            pieces = [Piece(row, "code")] if in_code and row else formatted(row, mention, message.mentions)
            result.append(highlighted(pieces, style.words))
    left = message.text.count("\n") + 1 - len(rows)
    if len(rows) == BODY_LINES and left > 0:
        more = ngettext("… {count} more line", "… {count} more lines", left)
        result.append([Piece(fill(style.symbols.word(more), count=left), "dim")])
    if message.edited_at is not None and result:
        result[-1] = [*result[-1], Piece(own(" " + _("(edited)")), "dim")]
    if message.reactions:
        result.append(_reactions(message))
    return result


def _reactions(message: Message) -> Line:
    """👍 2  [🎉 1]: one's own stand in brackets."""
    pieces: Line = []
    for emoji, one in list(message.reactions.items())[:REACTIONS_MOST]:
        said = fill("[{emoji} {count}]" if one.mine else "{emoji} {count}", emoji=emoji, count=one.count)
        pieces += [Piece(said, "reaction-own" if one.mine else "reaction"), Piece(own("  "))]
    return pieces[:-1]


def _beside(head: Line, body: list[Line], cells: int) -> list[MessageLine]:
    """The body's logical lines, wrapped; the first beside the head, the others under it."""
    indent = line_width(head)
    hanging = indent <= cells // 2
    result: list[MessageLine] = []
    column = indent if hanging and cells >= NARROW - STATE_CELLS else 2
    for number, logical in enumerate(body):
        text = "".join(piece.text for piece in logical)
        first = head if number == 0 else [Piece(spaces(column))]
        rows = _wrapped(text, max(cells - line_width(first), 2), max(cells - column, 2))
        end = 0
        for row, (start, stop) in enumerate(rows):
            before = first if row == 0 else [Piece(spaces(column))]
            joined = None if row == 0 else text[end:start]
            prefix = sum(len(piece.text) for piece in before)
            result.append(MessageLine([*before, *cut(logical, start, stop)], prefix, joined))
            end = stop
    return result


def _wrapped(text: str, first: int, others: int) -> list[tuple[int, int]]:
    if first == others:
        return wrap(text, others)
    rows = wrap(text, first)[:1]
    if rows[0][1] < len(text):
        start = rows[0][1]
        while start < len(text) and text[start] == " ":
            start += 1
        rows += [(begin + start, stop + start) for begin, stop in wrap(text[start:], others)]
    return rows


def can_edit(message: Message | None, own_id: str) -> bool:
    """Whether it is a message of one's own that the server knows and that says something."""
    return (
        message is not None
        and message.sender == own_id
        and message.message_seq > 0
        and not message.recalled
        and message.type is MessageType.TEXT
    )
