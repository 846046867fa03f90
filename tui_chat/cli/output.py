"""How commands print: plain lines for people, JSON lines for programs; nothing that a terminal would obey."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from tui_chat.protocol.text import clean_name, clean_text, escape_in_json, json_escape
from tui_chat.protocol.wire import encode

if TYPE_CHECKING:
    from tui_chat.protocol.models import Message


def print_json(value: Any) -> None:
    """One object on one line, under the protocol's names."""
    import json

    print(json_line(json.loads(encode(value)), sys.stdout), flush=True)


def json_line(value: Any, out: TextIO) -> str:
    """JSON as it is read most easily: with escapes for what a terminal would obey, and what `out` cannot encode."""
    import json

    line = escape_in_json(json.dumps(value, ensure_ascii=False))
    encoding = _encoding(out)
    if encoding == "utf-8":
        return line
    return "".join(one if _encodable(one, encoding) == one else json_escape(one) for one in line)


def print_answer(value: Any, line: str, *, as_json: bool) -> None:
    """What a command did: the object for programs, or the line for people."""
    if as_json:
        print_json(value)
    else:
        print_line(line)


def print_line(text: str) -> None:
    """One line; control characters are removed and newlines become spaces."""
    print(_encodable(clean_text(text).replace("\n", " "), _encoding(sys.stdout)), flush=True)


def print_text(text: str, *, indent: str = "") -> None:
    """A text of several lines."""
    for line in clean_text(text).split("\n"):
        print(_encodable(indent + line, _encoding(sys.stdout)), flush=True)


def print_message(message: "Message", *, where: str = "", as_json: bool) -> None:
    """When, where, and who in one line, and the text under it; or the message as JSON."""
    if as_json:
        print_json(message)
        return
    print_line(f"{moment(message.time)} {where}{message.nick or message.sender}:")
    print_text(text_of(message), indent="    ")


def text_of(message: "Message") -> str:
    """What it says, as the screen has it: that it was edited, or taken back, stands in brackets."""
    from tui_chat.locale import _

    if not message.recalled:
        return message.text if message.edited_at is None else f"{message.text} {_('(edited)')}"
    if message.recalled_by is None:
        return f"({_('message taken back')})"
    return f"({_('taken back by {name}').format(name=message.recalled_by)})"


def moment(milliseconds: int) -> str:
    """A time as the reader's clock has it."""
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%Y-%m-%d %H:%M") if milliseconds else "-"


def columns(cells: list[str], widths: list[int]) -> str:
    """Cells side by side, padded by what they take on the screen (Chinese characters take two columns)."""
    from rich.cells import cell_len

    cleaned = [clean_name(cell) for cell in cells]
    padded = [cell + " " * max(0, width - cell_len(cell)) for cell, width in zip(cleaned, widths, strict=True)]
    return "  ".join(padded).rstrip()


def _encoding(out: TextIO) -> str:
    return (getattr(out, "encoding", None) or "utf-8").lower()  # none where a shell closed it (>&-)


def _encodable(text: str, encoding: str) -> str:
    return text.encode(encoding, "replace").decode(encoding)
