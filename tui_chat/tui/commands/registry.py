"""All commands, in the order in which help and footer show them."""

from typing import Final

from . import dialog, everywhere, messages
from . import list as lists
from .command import Command, Scope

COMMANDS: Final[tuple[Command, ...]] = (
    lists.DeleteConversations(),
    lists.Review(),
    lists.RetryFailed(),
    lists.Undo(),
    lists.ShowLog(),
    lists.ToggleMark(),
    lists.MarkRange(),
    lists.ExtendUp(),
    lists.ExtendDown(),
    lists.MarkAll(),
    lists.InvertMarks(),
    lists.LastMarks(),
    lists.Filter(),
    lists.MarkByQuery(),
    lists.SweepConversations(),
    lists.MarkRead(),
    lists.ToggleUnread(),
    lists.TogglePin(),
    lists.ToggleMute(),
    lists.OpenConversation(),
    *(lists.OpenNth(number) for number in range(1, 10)),
    messages.ComposeFromList(),
    lists.NewConversation(),
    lists.MoveInList(),
    messages.Compose(),
    messages.Reply(),
    messages.EditMessage(),
    messages.ReactToMessage(),
    messages.OpenLinks(),
    messages.CopyMessage(),
    messages.RecallMessage(),
    messages.Details(),
    messages.FindHere(),
    messages.FindOlder(),
    messages.FindNewer(),
    messages.FirstUnread(),
    messages.Resend(),
    messages.MoveInMessages(),
    messages.Send(),
    messages.NewLine(),
    messages.EditLast(),
    messages.Complete(),
    messages.WriteInEditor(),
    messages.UndoTyping(),
    messages.ScrollFromComposer(),
    everywhere.Back(),
    everywhere.NextPane(),
    everywhere.PreviousPane(),
    everywhere.Palette(),
    everywhere.SwitchConversation(),
    everywhere.NextUnread(),
    everywhere.FindEverywhere(),
    everywhere.SecondDevice(),
    everywhere.Reload(),
    everywhere.SyncDeletions(),
    everywhere.EndTour(),
    everywhere.Suspend(),
    everywhere.ShowHelp(),
    everywhere.Quit(),
    dialog.Confirm(),
    dialog.Cancel(),
    dialog.ToggleClear(),
    dialog.Choose(),
    dialog.Press(),
)

BY_ID: Final[dict[str, Command]] = {command.id: command for command in COMMANDS}


def in_scope(scope: Scope) -> list[Command]:
    """The commands whose keys work there."""
    return [command for command in COMMANDS if scope in command.scopes]
