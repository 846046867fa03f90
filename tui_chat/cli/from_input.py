"""What comes on standard input in the place of words: a message's text, or the names of conversations."""

import json
import sys
from typing import Final

from tui_chat.locale import _

from .failures import Usage

DASH: Final = "-"
"""The word in whose place it comes."""


def text_on_input(instead: str) -> str:
    """All of it. Raises Usage where it is no text, and with `instead` where nobody wrote anything into it: it is a
    terminal.
    """
    if sys.stdin.isatty():
        raise Usage(instead)
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        said = _("what came on standard input is not text in {encoding}; nothing was done")
        raise Usage(said.format(encoding=error.encoding)) from error


def names_on_input() -> list[str]:
    """A conversation a line: an ID, a name, or a line as `tui-chat list` prints it, with --json or without."""
    instead = _("- takes names or IDs from standard input, one a line: tui-chat list --match QUERY | tui-chat … -")
    return [_named(line.strip()) for line in text_on_input(instead).splitlines() if line.strip()]


def _named(line: str) -> str:
    """A list has the time first, the ID last, and between them a name that may look like an ID: it is somebody else's
    choice."""
    if line.startswith("{"):
        return _named_in_json(line)
    first, last = line.split()[0], line.split()[-1]
    return next((field for field in (first, last) if _is_id(field)), line)


def _named_in_json(line: str) -> str:
    try:
        name = json.loads(line)["conversationID"]
    except (ValueError, KeyError):
        name = None
    if not isinstance(name, str):
        said = _("a line on standard input has no conversationID; nothing was done: {line}")
        raise Usage(said.format(line=repr(line[:80])))
    return name


def _is_id(text: str) -> bool:
    from tui_chat.protocol.errors import InvalidConversation
    from tui_chat.protocol.ids import parse_conversation_id

    try:
        parse_conversation_id(text)
    except InvalidConversation:
        return False
    return True
