"""What stands where there is no conversation: in an empty list, and beside a list while none of it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.client.changes import Connection
from tui_chat.locale import _
from tui_chat.tui.safe import Safe, fill, own

if TYPE_CHECKING:
    from tui_chat.client.interface import Session
    from tui_chat.tui.app import ChatApp
    from tui_chat.tui.widgets.conversation_list import ConversationList


def in_list(app: ChatApp, session: Session) -> Safe:
    """Why there is no row, where no filter hides them."""
    if session.undoable:
        return fill(_("Nothing left. {key} brings back what was deleted last."), key=app.key("undo"))
    if session.server.version:
        return own(_("No conversations yet."))
    if session.connection is Connection.OFFLINE:
        return own(_("Nothing is kept on this machine yet. What there is comes with the connection."))
    return own(_("Asking the server what there is…"))


def beside(app: ChatApp, session: Session, listed: ConversationList) -> list[Safe]:
    """What one can do while no conversation is open, in paragraphs."""
    if listed.height:
        return [fill(_("{key} opens a conversation."), key=app.key("open"))]
    if listed.narrowed:
        return [fill(_("{key} shows all again."), key=app.key("back"))]
    said = [fill(_("{key} starts a conversation. Who writes to you comes into the list."), key=app.key("new"))]
    if session.undoable:
        log = _("{key} lists what was deleted, and for how long it can come back.")
        said.append(fill(log, key=app.key("log")))
    return said
