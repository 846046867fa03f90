"""Why something was refused, in the reader's language."""

from tui_chat.locale import _, first_known
from tui_chat.protocol.errors import ChatError, ErrorBody, Unexpected, error_from
from tui_chat.protocol.requests import ItemFailure


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
    return _(str(error)) if isinstance(error, Unexpected) else first_known(str(error), str(type(error)()))
