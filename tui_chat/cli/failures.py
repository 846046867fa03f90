"""Failures in words: one line that says what happened and what to do, and the exit code that goes with it."""

from tui_chat.config import ConfigError
from tui_chat.protocol.errors import ChatError, NotConnected, Unauthorized
from tui_chat.protocol.text import clean_name

from .exits import FAILED, NOT_CONNECTED, USAGE


class Usage(Exception):
    """The command cannot be carried out as given; `str()` says how to give it."""


class NotSignedIn(Exception):
    """No account is stored where one is needed."""


def describe(error: Exception) -> tuple[str, int] | None:
    """The line and the exit code; None for what should not have happened."""
    match error:
        case Usage():
            return str(error), USAGE
        case ConfigError():
            return str(error), USAGE
        case NotSignedIn():
            return str(error), NOT_CONNECTED
        case Unauthorized() | NotConnected():
            return clean_name(str(error)), NOT_CONNECTED
        case ChatError():
            return clean_name(str(error)), FAILED
        case OSError() if error.filename is not None:
            return f"{error.filename}: {error.strerror}", FAILED
        case OSError():
            return str(error), FAILED
        case _:
            return None
