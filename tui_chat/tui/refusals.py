"""Why something was refused, in the reader's language."""

from math import ceil
from typing import TYPE_CHECKING, Final

from tui_chat.locale import _, first_known
from tui_chat.locale.durations import duration
from tui_chat.protocol.errors import ChatError, ErrorBody, TooFrequent, Unexpected, error_from
from tui_chat.protocol.requests import ItemFailure

if TYPE_CHECKING:
    from tui_chat.client.query import QueryError

_BY_MINUTES: Final = 120
"""Seconds above which whoever waits is told whole minutes, the last one too many rather than too few."""


def refusal(refused: ChatError | ErrorBody | ItemFailure) -> str:
    """One line, which may hold foreign text.

    A server's words are English, often with names in them; where the catalogue has not just these words, it has what
    the error's code says. A code of a newer server has its own words alone.
    """
    match refused:
        case ChatError():
            error = refused
        case _:
            error = error_from(ErrorBody(code=refused.code, message=refused.message))
    said = translated(error)
    return with_wait(said, error) if isinstance(error, TooFrequent) else said


def translated(error: ChatError) -> str:
    """What it says, and nothing of when to try again."""
    return _(str(error)) if isinstance(error, Unexpected) else first_known(str(error), str(type(error)()))


def query_fault(error: "QueryError") -> str:
    """What is wrong with a query, and where; `{position}` and `{text}` are still to be put in."""
    from tui_chat.client.query import Fault  # only for what is wrong: the first frame asks no query

    patterns = {
        Fault.UNKNOWN_KEY: _("At {position}: there is no {text} Put it in quotes to look for it in names."),
        Fault.NOT_YES_OR_NO: _("At {position}: {text} is neither yes nor no."),
        Fault.NOT_A_COUNT: _("At {position}: {text} is not a count: 3, <3, >=100 or 3..10."),
        Fault.NOT_A_COUNT_NOR_YES: _("At {position}: {text} is neither yes nor no nor a count: 3, <3, >=100 or 3..10."),
        Fault.NOT_A_TIME: _("At {position}: {text} is not a time: 12h, 30d, 8w, 6m, 1y or 2025-01-31."),
        Fault.NOT_A_TYPE: _("At {position}: {text} is not a type: c2c, group or system."),
        Fault.NO_VALUE: _("At {position}: {text} needs a value."),
        Fault.OPEN_QUOTE: _("At {position}: the quote is not closed."),
        Fault.NOTHING_THERE: _("At {position}: nothing stands beside {text}"),
    }
    return patterns[error.fault]


def with_wait(said: str, error: ChatError) -> str:
    """What is said of an error, and after how long the same may be tried again, where the server told that."""
    if error.retry_after is None:
        return said
    seconds = ceil(error.retry_after)
    if seconds > _BY_MINUTES:
        seconds = ceil(seconds / 60) * 60
    return _("{reason} (try again in {time})").format(reason=said.rstrip(".。"), time=duration(seconds))
