"""Commands of the open conversation: reading and writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .command import N_, Command, Scope, WidgetKeys

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp

MESSAGES = (Scope.MESSAGES,)
COMPOSER = (Scope.COMPOSER,)


class CopyMessage(Command):
    id = "copy"
    keys = ("y",)
    scopes = MESSAGES
    in_footer = True
    label = N_("Copy")
    help = N_("Copy the text of the message under the cursor, or the draft that a deleted conversation left.")

    def available(self, app: ChatApp) -> bool:
        return bool(app.main.conversation.text_to_copy())

    def run(self, app: ChatApp) -> None:
        app.main.conversation.copy()


class Compose(Command):
    id = "compose"
    keys: ClassVar[tuple[str, ...]] = ("i", "enter")
    scopes = MESSAGES
    in_footer = True
    label = N_("Write")
    help = N_("Go to the composer.")

    def available(self, app: ChatApp) -> bool:
        return app.main.conversation.conversation_id is not None

    def run(self, app: ChatApp) -> None:
        app.main.conversation.compose_message()


class ComposeFromList(Compose):
    id = "compose-open"
    keys = ("i",)
    scopes = (Scope.LIST,)
    in_footer = False
    in_palette = False


class Resend(Command):
    id = "resend"
    keys = ("R",)
    scopes = MESSAGES
    in_footer = True
    label = N_("Send again")
    help = N_("Send the message under the cursor again, where it was refused.")

    def available(self, app: ChatApp) -> bool:
        return app.main.conversation.failed_text() is not None

    def run(self, app: ChatApp) -> None:
        app.main.conversation.resend()


class MoveInMessages(WidgetKeys):
    id = "messages-move"
    keys = ("up", "down", "k", "j", "pageup", "pagedown", "g", "G")
    scopes = MESSAGES
    label = N_("Move")
    help = N_("Move by message, by page, to the oldest and the newest. Older pages come as you go up.")


class Send(WidgetKeys):
    id = "send"
    keys = ("enter",)
    scopes = COMPOSER
    label = N_("Send")
    help = N_("Send what is written. Without a connection it waits and goes out later.")


class ScrollFromComposer(WidgetKeys):
    id = "composer-scroll"
    keys = ("pageup", "pagedown")
    scopes = COMPOSER
    label = N_("Scroll")
    help = N_("Scroll the messages while you write.")


class NewLine(WidgetKeys):
    id = "new-line"
    keys = ("ctrl+j", "shift+enter")
    scopes = COMPOSER
    label = N_("New line")
    help = N_("Shift+Enter only where the terminal can tell it from Enter.")
