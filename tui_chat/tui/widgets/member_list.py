"""Who is in a group, and who waits to be let in: any number, drawn line by line."""

from collections.abc import Sequence
from typing import Final

import msgspec

from tui_chat.locale import _
from tui_chat.protocol.models import Application, Member
from tui_chat.tui.render.cells import Line, Piece, elide, fit, line_width, spaces, width
from tui_chat.tui.safe import Safe, fill, line, own
from tui_chat.tui.themes import Symbols

from .row_order import KeyRows
from .virtual_list import VirtualList

NAME_CELLS: Final = 28
"""At least; it is as wide as the longest name where there is room."""
ROLE_ORDER: Final = {"owner": 0, "admin": 1}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a member, or somebody who asks to become one."""

    user_id: str
    nick: str | None = None
    role: str | None = None
    """owner, admin or member; None: waits."""
    text: str = ""
    """What who waits has written."""

    @property
    def waits(self) -> bool:
        """Whether this is an application."""
        return self.role is None

    @property
    def called(self) -> str:
        """As people read it, with the userID, which alone says who it is."""
        return self.user_id if self.nick is None else f"{self.nick} ({self.user_id})"

    @property
    def key(self) -> str:
        """Of the row; somebody is there once."""
        return self.user_id


def people(members: Sequence[Member], applications: Sequence[Application]) -> list[Person]:
    """Who waits first, oldest first; then the owner, the administrators and the rest by name."""
    present = {one.user_id for one in members}
    waiting = [
        Person(user_id=one.user_id, nick=one.nick, text=one.text) for one in applications if one.user_id not in present
    ]
    ordered = sorted(members, key=lambda one: (ROLE_ORDER.get(one.role, 2), (one.nick or one.user_id).casefold()))
    return waiting + [Person(user_id=one.user_id, nick=one.nick, role=one.role) for one in ordered]


def matches(person: Person, words: Sequence[str]) -> bool:
    """Whether all of these, casefolded, stand in the name or the userID."""
    name = f"{person.nick or ''} {person.user_id}".casefold()
    return all(word in name for word in words)


class MemberList(VirtualList):
    """The rows of a group's screen."""

    PREFIX = "member-list"
    DEFAULT_CSS = """
    MemberList {
        background: $surface;
        .member-list--cursor { background: $panel; color: $foreground; }
        &:focus .member-list--cursor { background: $surface-lighten-2; }
        .member-list--dim { color: $text-muted; }
        .member-list--role { color: $text-accent; text-style: bold; }
        .member-list--waits { color: $text-warning; text-style: bold; }
    }
    """

    def __init__(self, *, own_id: str, symbols: Symbols, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._own_id = own_id
        self._symbols = symbols
        self._people: dict[str, Person] = {}
        self._name_cells = NAME_CELLS

    @property
    def person(self) -> Person | None:
        """Who is under the cursor."""
        key = self.cursor_key
        return None if key is None else self._people.get(key)

    def set_people(self, shown: Sequence[Person]) -> None:
        """Show these, in this order."""
        self._people = {one.key: one for one in shown}
        self._name_cells = max((width(self._who(one)) for one in shown), default=0)
        self.set_rows(KeyRows([*self._people]))
        self.refresh()

    def row_line(self, key: str, index: int, cells: int) -> tuple[Line, str]:
        """▌ Bob Smith (bob)    administrator"""
        person, at = self._people[key], index == self.cursor_index
        sign = Piece(self._symbols.cursor if at else own(" "))
        column = min(max(self._name_cells, NAME_CELLS), max(cells - 16, 8))
        name = Piece(fit(self._who(person), column, self._symbols.ellipsis))
        pieces: Line = [sign, Piece(spaces(1)), name, Piece(spaces(2)), _standing(person)]
        if person.text:
            room = cells - line_width(pieces) - 2
            pieces += [Piece(spaces(2)), Piece(elide(line(person.text), max(room, 0), self._symbols.ellipsis), "dim")]
        return pieces, "cursor" if at else ""

    def _who(self, person: Person) -> Safe:
        who = line(person.called)
        return fill(_("{name} (you)"), name=who) if person.user_id == self._own_id else who


def _standing(person: Person) -> Piece:
    match person.role:
        case None:
            return Piece(own(_("asks to join")), "waits")
        case "owner":
            return Piece(own(_("owner")), "role")
        case "admin":
            return Piece(own(_("administrator")), "role")
        case _:
            return Piece(own(_("member")), "dim")
