"""Keys of the dialogs, declared so that help and tests know them; the dialogs act on them."""

from tui_chat.locale import N_

from .command import Scope, WidgetKeys

DIALOG = (Scope.DIALOG,)


class Confirm(WidgetKeys):
    id = "confirm"
    keys = ("y",)
    scopes = DIALOG
    label = N_("Confirm")
    help = N_("Do it. Where a count must be typed, once it matches.")


class Cancel(WidgetKeys):
    id = "cancel"
    keys = ("n", "escape")
    scopes = DIALOG
    label = N_("Cancel")
    help = N_("Leave everything as it is.")


class ToggleClear(WidgetKeys):
    id = "toggle-clear"
    keys = ("c",)
    scopes = DIALOG
    label = N_("Clear history")
    help = N_("Whether the deletion erases the messages from your account as well.")


class Choose(WidgetKeys):
    id = "choose"
    keys = ("left", "right", "up", "down", "tab", "shift+tab")
    scopes = DIALOG
    label = N_("Move")
    help = N_("Go to the other button.")


class Press(WidgetKeys):
    id = "press"
    keys = ("enter",)
    scopes = DIALOG
    label = N_("Press")
    help = N_("Press the button that has the focus.")
