"""Failures in words: one line that says what happened and what to do, and the exit code that goes with it."""

from typing import TYPE_CHECKING

from tui_chat.config import ConfigError
from tui_chat.locale import _
from tui_chat.protocol.errors import ChatError, NotConnected, Unauthorized, error_from
from tui_chat.protocol.text import clean_name

from .exits import FAILED, NOT_CONNECTED, USAGE

if TYPE_CHECKING:
    from tui_chat.client.results import QueuedCommand


class Usage(Exception):
    """The command cannot be carried out as given; `str()` says how to give it."""


class OwnWords(Exception):
    """Beside the kind of an error: it says what it says in the reader's language already."""


class NoWordOfIt(OwnWords, NotConnected):
    """The connection broke off before the server answered."""


class OpenElsewhere(OwnWords, ChatError):
    """Another tui-chat has the account open on this machine."""


class NotSignedIn(Exception):
    """No account is stored where one is needed."""


def unconfirmed(queue: "list[QueuedCommand]", otherwise: str) -> ChatError:
    """Why a plain command's only command is still in its queue: in the server's words where it has answered,
    `otherwise` where nobody knows what became of it.
    """
    said = next((one.error for one in queue if one.error is not None), None)
    return NoWordOfIt(otherwise) if said is None or said.code == NotConnected.code else error_from(said)


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
            return clean_name(_translated(error)), NOT_CONNECTED
        case ChatError():
            from tui_chat.tui.refusals import with_wait

            return clean_name(with_wait(_translated(error), error)), FAILED
        case EOFError() if type(error) is EOFError:  # a reader of streams has its own kinds
            return _("the input ended before that was answered; nothing was done"), FAILED
        case UnicodeEncodeError() if "surrogates" in error.reason:  # Python's stand-in for bytes that are no letters
            said = _("a word on the command line is not text in this terminal's encoding; nothing was done")
            return said, USAGE
        case OSError() if error.filename is not None:
            return f"{error.filename}: {error.strerror}", FAILED
        case OSError():
            return error.strerror or str(error), FAILED
        case _:
            return None


def _translated(error: ChatError) -> str:
    from tui_chat.tui.refusals import translated

    return str(error) if isinstance(error, OwnWords) else translated(error)
