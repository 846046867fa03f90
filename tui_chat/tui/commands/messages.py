"""Commands of the open conversation: reading and writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui_chat.locale import N_

from .command import Command, Scope, WidgetKeys

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


class Reply(Command):
    id = "reply"
    keys = ("r",)
    scopes = MESSAGES
    in_footer = True
    label = N_("Reply")
    help = N_("Answer the message under the cursor, or else the newest; {back} makes it an ordinary message again.")

    def available(self, app: ChatApp) -> bool:
        pane = app.main.conversation
        return pane.session.capabilities.replies and pane.actions.answerable is not None and not pane.composer.blocked

    def run(self, app: ChatApp) -> None:
        pane = app.main.conversation
        if (message := pane.actions.answerable) is not None:
            pane.actions.show(message)
            pane.writing.reply(message)


class EditMessage(Command):
    id = "edit"
    keys = ("e",)
    scopes = MESSAGES
    in_footer = True
    label = N_("Edit")
    help = N_("Change a message of your own in the composer. Enter saves it, {back} leaves it as it was.")

    def available(self, app: ChatApp) -> bool:
        pane = app.main.conversation
        there = pane.actions.editable is not None or pane.actions.lacks_own
        return pane.session.capabilities.edits and there and not pane.composer.blocked

    def offered(self, app: ChatApp) -> bool:
        return self.available(app) and app.main.conversation.actions.editable is not None

    def run(self, app: ChatApp) -> None:
        pane = app.main.conversation
        if (message := pane.actions.editable) is not None:
            pane.actions.show(message)
            pane.writing.edit(message)
        else:
            pane.actions.say_none_own()


class ReactToMessage(Command):
    id = "react"
    keys = ("plus",)
    scopes = MESSAGES
    in_footer = True
    label = N_("React")
    help = N_("React to the message under the cursor, or else the newest, with an emoji; the same again takes it back.")

    def available(self, app: ChatApp) -> bool:
        pane = app.main.conversation
        return pane.session.capabilities.reactions and pane.actions.changeable is not None

    def run(self, app: ChatApp) -> None:
        app.main.conversation.actions.react()


class RecallMessage(Command):
    id = "recall"
    keys = ("X",)
    scopes = MESSAGES
    in_footer = True
    label = N_("Take back")
    help = N_("Take a message of your own back from everybody, for a short while after it was sent. Asks first.")

    def available(self, app: ChatApp) -> bool:
        pane = app.main.conversation
        return pane.actions.recallable is not None or (pane.session.capabilities.recalls and pane.actions.lacks_own)

    def offered(self, app: ChatApp) -> bool:
        actions = app.main.conversation.actions
        return (message := actions.recallable) is not None and actions.time_to_recall(message) > 0

    def run(self, app: ChatApp) -> None:
        actions = app.main.conversation.actions
        if actions.recallable is not None:
            actions.recall()
        else:
            actions.say_none_own()


class OpenLinks(Command):
    id = "open-link"
    keys = ("o",)
    scopes = MESSAGES
    in_footer = True
    label = N_("Open link")
    help = N_("Open a link of the message under the cursor in the browser. Shows the whole address first.")

    def available(self, app: ChatApp) -> bool:
        return bool(app.main.conversation.actions.links)

    def run(self, app: ChatApp) -> None:
        app.main.conversation.actions.open_link()


class GoToAnswered(Command):
    id = "answered"
    keys = ("J",)
    scopes = MESSAGES
    in_footer = True
    label = N_("Original")
    help = N_("Go to the message that the one under the cursor answers.")

    def available(self, app: ChatApp) -> bool:
        message = app.main.conversation.messages.current_message
        return message is not None and message.reply_to is not None and not message.recalled

    def run(self, app: ChatApp) -> None:
        pane = app.main.conversation
        if (message := pane.messages.current_message) is not None and message.reply_to is not None:
            pane.jump(message.reply_to)


class Details(Command):
    id = "details"
    keys = ("v",)
    scopes = MESSAGES
    label = N_("About this message")
    help = N_("When it was sent and edited, who reacted, and of your own who has read it.")

    def available(self, app: ChatApp) -> bool:
        return app.main.conversation.messages.current_message is not None

    def run(self, app: ChatApp) -> None:
        app.main.conversation.actions.details()


class FindHere(Command):
    id = "find"
    keys = ("slash",)
    scopes = MESSAGES
    label = N_("Search here")
    help = N_("Look for words in this conversation. Without a connection: in what is on this machine.")

    def available(self, app: ChatApp) -> bool:
        return app.main.conversation.conversation_id is not None

    def run(self, app: ChatApp) -> None:
        app.main.conversation.finding.start()


class FindOlder(Command):
    id = "find-older"
    keys = ("n",)
    scopes = MESSAGES
    in_palette = False
    label = N_("Next found")
    help = N_("To the next older message that was found.")

    def available(self, app: ChatApp) -> bool:
        return app.main.conversation.conversation_id is not None

    def run(self, app: ChatApp) -> None:
        app.main.conversation.finding.step(1)


class FindNewer(Command):
    id = "find-newer"
    keys = ("N",)
    scopes = MESSAGES
    in_palette = False
    label = N_("Previous found")
    help = N_("To the next newer message that was found.")

    def available(self, app: ChatApp) -> bool:
        return app.main.conversation.conversation_id is not None

    def run(self, app: ChatApp) -> None:
        app.main.conversation.finding.step(-1)


class FirstUnread(Command):
    id = "first-unread"
    keys = ("U",)
    scopes = MESSAGES
    label = N_("First unread")
    help = N_("To the first message that was unread when the conversation was opened.")

    def available(self, app: ChatApp) -> bool:
        return app.main.conversation.conversation_id is not None

    def run(self, app: ChatApp) -> None:
        app.main.conversation.first_unread()


class Compose(Command):
    id = "compose"
    keys: ClassVar[tuple[str, ...]] = ("i", "enter")
    scopes = MESSAGES
    in_footer = True
    label = N_("Write")
    help = N_("Go to the composer.")

    def available(self, app: ChatApp) -> bool:
        return app.main.conversation.conversation_id is not None

    def offered(self, app: ChatApp) -> bool:
        return self.available(app) and not app.main.conversation.composer.blocked

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
        return app.main.conversation.unsent.under_cursor

    def run(self, app: ChatApp) -> None:
        app.main.conversation.unsent.send_again()


class MoveInMessages(WidgetKeys):
    id = "messages-move"
    keys = ("up", "down", "k", "j", "pageup", "pagedown", "g", "G")
    scopes = MESSAGES
    in_footer = True
    label = N_("Choose a message")
    help = N_("Move by message, by page, to the oldest and the newest. Older pages come as you go up.")

    def offered(self, app: ChatApp) -> bool:
        messages = app.main.conversation.messages
        return messages.current_message is None and messages.newest_seq > 0


class Send(WidgetKeys):
    id = "send"
    keys = ("enter",)
    scopes = COMPOSER
    label = N_("Send")
    help = N_("Send what is written. Without a connection it waits and goes out later.")


class WriteInEditor(Command):
    id = "editor"
    keys = ("ctrl+o",)
    scopes = COMPOSER
    label = N_("Write in an editor")
    help = N_("Go on with what $VISUAL or $EDITOR names; what is saved there comes back here.")

    def available(self, app: ChatApp) -> bool:
        pane = app.main.conversation
        return pane.conversation_id is not None and not pane.composer.blocked

    def run(self, app: ChatApp) -> None:
        app.main.conversation.writing.in_editor()


class EditLast(WidgetKeys):
    id = "edit-last"
    keys = ("up",)
    scopes = COMPOSER
    label = N_("Edit the last one")
    help = N_("Where nothing is written: change the message that you wrote last.")


class Complete(WidgetKeys):
    id = "complete"
    keys = ("at",)
    scopes = COMPOSER
    label = N_("Mention")
    help = N_("Offers who is here; Tab or Enter takes the name, the arrows choose, Esc leaves it.")


class UndoTyping(WidgetKeys):
    id = "undo-typing"
    keys = ("ctrl+underscore",)
    scopes = COMPOSER
    label = N_("Undo typing")
    help = N_("Take back what was typed last.")


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
