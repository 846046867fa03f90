"""What is wrong with a setting, in words: what stands there, and what may."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import msgspec.inspect

from tui_chat.locale import _

_SHOWN_MOST: Final = 80
"""Characters of a wrong value that are repeated."""


def place_of(fault: str) -> list[str]:
    """The names that lead to the setting which a validation error is about."""
    found = re.search(r"at `\$\.?([\w.]*)", fault)
    words = found[1].split(".") if found is not None and found[1] else []
    unknown = re.search(r"unknown field `([^`]*)`", fault)
    return [*words, *([unknown[1]] if unknown is not None else [])]


def line_of(text: str, place: list[str]) -> int | None:
    """The line, counted from 1, on which a setting stands; None where it cannot be told."""
    if not place:
        return None
    *tables, name = place
    wanted, table = ".".join(tables), ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([\w.\-]+)\s*\]", line):
            table = header[1]
            if not wanted and table == name:
                return number
        elif table == wanted and re.match(rf"\s*[\"']?{re.escape(name)}[\"']?\s*=", line):
            return number
    return None


def in_words(error: msgspec.ValidationError, content: Mapping[str, Any], kind: type[msgspec.Struct]) -> str:
    """The fault for whoever wrote `content`, which was to be of this kind, such as: server.port is '80': it takes a
    whole number from 0 to 65535."""
    place = place_of(str(error))
    expected, value = msgspec.inspect.type_info(kind), content
    for depth, name in enumerate(place):
        known = settings_of(expected)
        if name not in known:
            table = ".".join(place[:depth])
            near = nearest(name, known)
            said = _("{name} is no setting of [{table}]") if table else _("{name} is no setting")
            hint = _("; did you mean {near}?") if near is not None else _("; there are {known}")
            return said.format(name=name, table=table) + hint.format(near=near, known=", ".join(known))
        expected, value = known[name], value[name]
    said = _("{name} is {value}: it takes {allowed}")
    return said.format(name=".".join(place) or _("it"), value=_shown(value), allowed=allowed(expected))


def settings_of(table: msgspec.inspect.Type) -> dict[str, msgspec.inspect.Type]:
    """The settings that a table has, by name; none where it has no fixed ones."""
    return {one.encode_name: one.type for one in table.fields} if isinstance(table, msgspec.inspect.StructType) else {}


def allowed(kind: msgspec.inspect.Type, *, quoted: bool = True) -> str:
    """What a value of this kind is, in words; `quoted` as a file of settings has it, else as the environment has."""
    match kind:
        case msgspec.inspect.UnionType(types=types):
            said = [one for one in types if not isinstance(one, msgspec.inspect.NoneType)]
            return _(" or ").join(allowed(one, quoted=quoted) for one in said)
        case msgspec.inspect.IntType(ge=least, le=most):
            return _whole_number(least, most)
        case msgspec.inspect.BoolType():
            return _("true or false")
        case msgspec.inspect.StrType():
            return _("text in quotes") if quoted else _("text")
        case msgspec.inspect.LiteralType(values=values):
            *words, last = [f'"{value}"' if quoted else str(value) for value in values]
            return _(" or ").join([", ".join(words), last] if words else [last])
        case msgspec.inspect.ListType(item_type=item):
            return _("a list in [brackets], each {allowed}").format(allowed=allowed(item, quoted=quoted))
        case _:
            return _("a table of settings")


def _whole_number(least: int | None, most: int | None) -> str:
    match least, most:
        case None, None:
            said = _("a whole number")
        case _least, None:
            said = _("a whole number from {least}")
        case None, _most:
            said = _("a whole number to {most}")
        case _both:
            said = _("a whole number from {least} to {most}")
    return said.format(least=least, most=most)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Which of the known names is most likely meant; None where none is like it."""
    from difflib import get_close_matches  # Only for what is wrong: every start would wait for it.

    return next(iter(get_close_matches(name, known, n=1)), None)


def _shown(value: object) -> str:
    """The value as it stands in the file, more or less, in one line."""
    text = repr(value) if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN_MOST else f"{text[:_SHOWN_MOST]}…"
