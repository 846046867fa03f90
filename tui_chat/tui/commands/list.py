"""Commands of the conversation list: marking, deleting, undoing, opening."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.locale import N_
from tui_chat.tui.safe import Safe, own

from .command import Command, Scope, WidgetKeys

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp

LIST = (Scope.LIST,)


class DeleteConversations(Command):
    id = "delete"
    keys = ("d", "delete")
    scopes = LIST
    in_footer = True
    label = N_("Delete")
    help = N_("Delete what is marked, or the row under the cursor. Asks first.")

    def available(self, app: ChatApp) -> bool:
        return app.device.has_targets

    def run(self, app: ChatApp) -> None:
        app.device.deleter.ask()


class Undo(Command):
    id = "undo"
    keys = ("u",)
    scopes = (Scope.LIST, Scope.MESSAGES)
    label = N_("Undo deletion")
    help = N_("Undo the last deletion; again: the one before. Works from any of your devices.")

    def run(self, app: ChatApp) -> None:
        app.device.deleter.undo()


class ShowLog(Command):
    id = "log"
    keys = ("L",)
    scopes = LIST
    label = N_("Log of deletions")
    help = N_("When, on which device, how many, and how long each can be undone.")

    def available(self, app: ChatApp) -> bool:
        return app.device.session.capabilities.keeps_deletion_log

    def run(self, app: ChatApp) -> None:
        app.device.show_log()


class RetryFailed(Command):
    id = "retry"
    keys = ("R",)
    scopes = LIST
    in_footer = True
    label = N_("Retry")
    help = N_("Delete again what failed; the reason stands on the row.")

    def available(self, app: ChatApp) -> bool:
        return app.device.deleter.can_retry

    def run(self, app: ChatApp) -> None:
        app.device.deleter.retry()


class ToggleMark(Command):
    id = "mark"
    keys = ("space",)
    scopes = LIST
    label = N_("Mark")
    help = N_("Mark or unmark, and go down.")

    def available(self, app: ChatApp) -> bool:
        return app.device.list.cursor_key is not None

    def run(self, app: ChatApp) -> None:
        app.device.list.toggle_mark()


class MarkRange(Command):
    id = "mark-range"
    keys = ("v",)
    scopes = LIST
    label = N_("Mark a range")
    help = N_("Start a range, move, and press again to end it. {extend-up} and {extend-down} do it at once.")

    def run(self, app: ChatApp) -> None:
        app.device.list.toggle_range()


class MarkAll(Command):
    id = "mark-all"
    keys = ("a", "ctrl+a")
    scopes = LIST
    label = N_("Mark all shown")
    help = N_("Mark every row that is shown; a filter limits it.")

    def run(self, app: ChatApp) -> None:
        app.device.list.mark_all_shown()


class InvertMarks(Command):
    id = "invert-marks"
    keys = ("asterisk",)
    scopes = LIST
    label = N_("Invert marks")
    help = N_("Mark what is not marked among the rows shown, and unmark the rest.")

    def run(self, app: ChatApp) -> None:
        app.device.list.invert_marks()


class LastMarks(Command):
    id = "last-marks"
    keys = ("V",)
    scopes = LIST
    label = N_("Mark the last set again")
    help = N_("Bring back the marks that were cleared last.")

    def run(self, app: ChatApp) -> None:
        app.device.list.mark_last_set()


class Review(Command):
    id = "review"
    keys = ("equals_sign",)
    scopes = LIST
    in_footer = True
    label = N_("Review")
    help = N_("Show only what is marked; again: show all.")

    def available(self, app: ChatApp) -> bool:
        return bool(app.device.list.marks) or app.device.list.reviewing

    def run(self, app: ChatApp) -> None:
        app.device.list.toggle_review()


class Filter(Command):
    id = "filter"
    keys = ("slash",)
    scopes = LIST
    label = N_("Filter")
    help = N_("Show only rows whose names have these words, or that match a query. Enter keeps it, {back} ends it.")

    def run(self, app: ChatApp) -> None:
        app.device.start_filter()


class MarkByQuery(Command):
    id = "mark-query"
    keys = ("T",)
    scopes = LIST
    label = N_("Mark by query")
    help = N_("Mark what a query matches among the rows shown, such as older:1y unread:no or type:group messages:<3.")

    def run(self, app: ChatApp) -> None:
        app.device.start_marking()


class SweepConversations(Command):
    id = "sweep"
    keys = ("S",)
    scopes = LIST
    label = N_("Sweep")
    help = N_("Groups of conversations that one may want to be rid of, with their counts.")

    def run(self, app: ChatApp) -> None:
        app.device.sweep()


class MarkRead(Command):
    id = "read"
    keys = ("r",)
    scopes = LIST
    label = N_("Mark as read")
    help = N_("Everything in the marked conversations, or in this one, is read.")

    def available(self, app: ChatApp) -> bool:
        return app.device.has_targets

    def run(self, app: ChatApp) -> None:
        app.device.mark_read()


class ToggleUnread(Command):
    id = "unread"
    keys = ("U",)
    scopes = LIST
    label = N_("Toggle unread")
    help = N_("Flag the marked conversations, or this one, as unread; again: take the flag away.")

    def available(self, app: ChatApp) -> bool:
        return app.device.has_targets and app.device.session.capabilities.marks_unread

    def run(self, app: ChatApp) -> None:
        app.device.toggle_flag("marked_unread")


class TogglePin(Command):
    id = "pin"
    keys = ("p",)
    scopes = LIST
    label = N_("Pin")
    help = N_("Pin the marked conversations, or this one, to the top; again: unpin.")

    def available(self, app: ChatApp) -> bool:
        return app.device.has_targets and app.device.session.capabilities.pins

    def run(self, app: ChatApp) -> None:
        app.device.toggle_flag("pinned")


class ToggleMute(Command):
    id = "mute"
    keys = ("m",)
    scopes = LIST
    label = N_("Mute")
    help = N_("Mute the marked conversations, or this one; again: unmute.")

    def available(self, app: ChatApp) -> bool:
        return app.device.has_targets and app.device.session.capabilities.mutes

    def run(self, app: ChatApp) -> None:
        app.device.toggle_flag("muted")


class OpenConversation(Command):
    id = "open"
    keys = ("enter",)
    scopes = LIST
    label = N_("Open")
    help = N_("Open the conversation and go to its composer.")

    def available(self, app: ChatApp) -> bool:
        return app.device.list.cursor_key is not None

    def run(self, app: ChatApp) -> None:
        app.device.list.action_choose()


class OpenNth(Command):
    """The n-th row that is shown, by its digit."""

    scopes = LIST
    in_palette = False

    def __init__(self, number: int) -> None:
        self.number = number
        self.id = f"open-{number}"  # type: ignore[misc]
        self.keys = (str(number),)  # type: ignore[misc]
        self.in_help = number == 1  # type: ignore[misc]

    label = N_("Open the n-th")
    help = N_("Open the first, second … ninth row.")

    def key_text(self, keys: tuple[str, ...] | None = None) -> Safe:
        return own("1 … 9") if keys in (None, ("1",)) and self.number == 1 else super().key_text(keys)

    def run(self, app: ChatApp) -> None:
        app.device.list.open_nth(self.number)


class NewConversation(Command):
    id = "new"
    keys = ("c",)
    scopes = LIST
    in_footer = True
    label = N_("New conversation")
    help = N_("Write to somebody, or create a group.")

    def offered(self, app: ChatApp) -> bool:
        return not app.device.session.conversations

    def run(self, app: ChatApp) -> None:
        app.device.new_conversation()


class MoveInList(WidgetKeys):
    id = "list-move"
    keys = ("up", "down", "k", "j", "pageup", "pagedown", "g", "G", "home", "end")
    scopes = LIST
    label = N_("Move")
    help = N_("Move the cursor: by row, by page, to the first and the last.")


class ExtendUp(Command):
    id = "extend-up"
    keys = ("shift+up",)
    scopes = LIST
    in_palette = False
    label = N_("Mark upwards")
    help = N_("Mark this row and go up, marking.")

    def run(self, app: ChatApp) -> None:
        app.device.list.extend_range(-1)


class ExtendDown(Command):
    id = "extend-down"
    keys = ("shift+down",)
    scopes = LIST
    in_palette = False
    label = N_("Mark downwards")
    help = N_("Mark this row and go down, marking.")

    def run(self, app: ChatApp) -> None:
        app.device.list.extend_range(1)
