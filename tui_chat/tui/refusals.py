"""Why something was refused, in the reader's language."""

from math import ceil
from typing import Final

from tui_chat.locale import _, first_known
from tui_chat.locale.durations import duration
from tui_chat.protocol.errors import ChatError, ErrorBody, TooFrequent, Unexpected, error_from
from tui_chat.protocol.requests import ItemFailure

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
    said = _(str(error)) if isinstance(error, Unexpected) else first_known(str(error), str(type(error)()))
    return with_wait(said, error) if isinstance(error, TooFrequent) else said


def with_wait(said: str, error: ChatError) -> str:
    """What is said of an error, and after how long the same may be tried again, where the server told that."""
    if error.retry_after is None:
        return said
    seconds = ceil(error.retry_after)
    if seconds > _BY_MINUTES:
        seconds = ceil(seconds / 60) * 60
    return _("{reason} (try again in {time})").format(reason=said.rstrip(".。"), time=duration(seconds))
