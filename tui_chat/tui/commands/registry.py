"""All commands, in the order in which help and footer show them."""

from collections.abc import Callable
from string import Formatter
from typing import Final

from tui_chat.locale import _
from tui_chat.tui.safe import Safe, fill

from . import dialog, everywhere, groups, messages
from . import list as lists
from .command import Command, KeysOf, Scope, key_name, own_keys

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
    messages.GoToAnswered(),
    messages.CopyMessage(),
    messages.RecallMessage(),
    messages.Details(),
    messages.FindHere(),
    messages.FindOlder(),
    messages.FindNewer(),
    messages.FirstUnread(),
    messages.Resend(),
    messages.MoveInMessages(),
    groups.ManageGroup(),
    groups.AcceptApplication(),
    groups.DeclineApplication(),
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
    everywhere.OpenSettings(),
    everywhere.ShowHelp(),
    everywhere.Quit(),
    groups.InviteMembers(),
    groups.RemoveMember(),
    groups.ChangeRole(),
    groups.TransferGroup(),
    groups.RenameGroup(),
    groups.ChangeJoinRule(),
    groups.MuteGroup(),
    groups.LeaveGroup(),
    groups.DismissGroup(),
    groups.JoinAgain(),
    dialog.Confirm(),
    dialog.Cancel(),
    dialog.ToggleClear(),
    dialog.Choose(),
    dialog.Press(),
)

BY_ID: Final[dict[str, Command]] = {command.id: command for command in COMMANDS}


KeyOf = Callable[[str], Safe]
"""The first key of a command by its name, as a person reads it."""


def own_key(command_id: str) -> Safe:
    """The first that it declares."""
    return key_name(BY_ID[command_id].keys[0])


def help_of(command: Command, keys_of: KeysOf = own_keys) -> Safe:
    """What it does, in the reader's language and with the keys that are bound."""
    said = _(command.help)
    named = {name: key_name(keys_of(BY_ID[name])[0]) for _text, name, _spec, _how in Formatter().parse(said) if name}
    return fill(said, **named)


def in_scope(scope: Scope) -> list[Command]:
    """The commands whose keys work there."""
    return [command for command in COMMANDS if scope in command.scopes]
