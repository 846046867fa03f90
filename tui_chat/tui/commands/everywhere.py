"""Commands that work wherever one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.locale import N_

from .command import Command, Scope

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp

EVERYWHERE = (Scope.EVERYWHERE,)


class Back(Command):
    id = "back"
    keys = ("escape",)
    scopes = EVERYWHERE
    in_palette = False
    label = N_("Back")
    help = N_("From the composer to the messages to the list; there: stop what runs, clear the marks, end the filter.")

    def run(self, app: ChatApp) -> None:
        app.main.back()


class NextPane(Command):
    id = "next-pane"
    keys = ("tab",)
    scopes = EVERYWHERE
    in_palette = False
    label = N_("Next pane")
    help = N_("List, messages, composer, and round again.")

    def run(self, app: ChatApp) -> None:
        app.main.cycle(1)


class PreviousPane(Command):
    id = "previous-pane"
    keys = ("shift+tab",)
    scopes = EVERYWHERE
    in_palette = False
    label = N_("Previous pane")
    help = N_("The same way back.")

    def run(self, app: ChatApp) -> None:
        app.main.cycle(-1)


class SwitchConversation(Command):
    id = "switch"
    keys = ("ctrl+g",)
    scopes = EVERYWHERE
    label = N_("Go to a conversation")
    help = N_("Type some letters of its name.")

    def run(self, app: ChatApp) -> None:
        app.main.going.switch()


class NextUnread(Command):
    id = "next-unread"
    keys = ("ctrl+n",)
    scopes = EVERYWHERE
    label = N_("Next unread")
    help = N_("Open the next conversation with something unread in it.")

    def run(self, app: ChatApp) -> None:
        app.main.going.next_unread()


class FindEverywhere(Command):
    id = "find-everywhere"
    keys = ("ctrl+f",)
    scopes = EVERYWHERE
    label = N_("Search everywhere")
    help = N_("Look for words in all conversations; Enter opens one at that message.")

    def available(self, app: ChatApp) -> bool:
        return app.session.capabilities.search

    def run(self, app: ChatApp) -> None:
        app.main.going.find_everywhere()


class Suspend(Command):
    id = "suspend"
    keys = ("ctrl+z",)
    scopes = EVERYWHERE
    in_palette = False
    label = N_("Suspend")
    help = N_("Back to the shell; fg comes back here.")

    def run(self, app: ChatApp) -> None:
        app.action_suspend_process()


class Palette(Command):
    id = "palette"
    keys = ("ctrl+p",)
    scopes = EVERYWHERE
    in_palette = False
    label = N_("Commands")
    help = N_("Every command by name.")

    def run(self, app: ChatApp) -> None:
        app.action_command_palette()


class Reload(Command):
    id = "reload"
    keys = ("ctrl+r",)
    scopes = EVERYWHERE
    label = N_("Reload")
    help = N_("Take the list anew from the server; what another device deleted goes.")

    def run(self, app: ChatApp) -> None:
        app.device.reload()


class SecondDevice(Command):
    id = "second-device"
    keys = ("f2",)
    scopes = EVERYWHERE
    label = N_("Second device")
    help = N_("Another device of yours beside this one, in the same window; again: close it.")

    def available(self, app: ChatApp) -> bool:
        return app.has_second

    def run(self, app: ChatApp) -> None:
        app.main.toggle_second()


class SyncDeletions(Command):
    id = "sync-deletions"
    scopes = EVERYWHERE
    label = N_("Switch the sync of deletions on or off")
    help = N_("For everybody on this server: whether a deletion also removes the rows on one's other devices.")

    def available(self, app: ChatApp) -> bool:
        return app.session.capabilities.administration

    def run(self, app: ChatApp) -> None:
        app.main.switch_sync()


class EndTour(Command):
    id = "end-tour"
    scopes = EVERYWHERE
    label = N_("End the tour")
    help = N_("Take the coach's line away for good.")

    def available(self, app: ChatApp) -> bool:
        return app.tour.active

    def run(self, app: ChatApp) -> None:
        app.tour.end()


class OpenSettings(Command):
    id = "settings"
    scopes = EVERYWHERE
    label = N_("Settings")
    help = N_("Theme, symbols, mouse, language, notifications, and how the switch of a deletion starts.")

    def run(self, app: ChatApp) -> None:
        from tui_chat.tui.screens.settings import SettingsScreen

        app.push_screen(SettingsScreen())


class ShowHelp(Command):
    id = "help"
    keys = ("question_mark", "f1")
    scopes = EVERYWHERE
    in_footer = True
    label = N_("Help")
    help = N_("The keys of where you are. F1 works while you write, too.")

    def run(self, app: ChatApp) -> None:
        app.show_help()


class Quit(Command):
    id = "quit"
    keys = ("ctrl+q",)
    scopes = EVERYWHERE
    label = N_("Quit")
    help = N_("Close the program; drafts and what is queued stay.")

    def run(self, app: ChatApp) -> None:
        app.exit()
