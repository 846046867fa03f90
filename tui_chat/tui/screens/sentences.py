"""What toasts and the status line say: facts in, one line out."""

from textual.content import Content

from tui_chat.client.changes import Notice
from tui_chat.locale import _, ngettext
from tui_chat.protocol.errors import ErrorBody
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, Membership
from tui_chat.tui import safe
from tui_chat.tui.refusals import refusal


def _counted(count: int) -> str:
    return f"{count:,}"


def deleted(count: int, *, undo: str | None) -> Content:
    """One's own deletion went through; `undo` is the key that brings it back, None where nothing does."""
    return safe.template(
        ngettext(
            "{count} conversation deleted · {key} brings it back",
            "{count} conversations deleted · {key} brings them back",
            count,
        )
        if undo is not None
        else ngettext("{count} conversation deleted", "{count} conversations deleted", count),
        count=_counted(count),
        key=undo or "",
    )


def cut(left_out: int) -> Content:
    """Of what was pasted not everything fitted."""
    return safe.template(
        ngettext(
            "Too long: the last {count} byte was left out",
            "Too long: the last {count} bytes were left out",
            left_out,
        ),
        count=_counted(left_out),
    )


def queued(count: int, *, undo: str, connected: bool) -> Content:
    """Without a connection a deletion hides the rows and waits; so it does where the server fails at it."""
    if connected:
        return safe.template(
            ngettext(
                "Not done yet: {count} conversation hidden, deleted once the server does it · {key} takes it back",
                "Not done yet: {count} conversations hidden, deleted once the server does it · {key} takes them back",
                count,
            ),
            count=safe.number(count),
            key=undo,
        )
    return safe.template(
        ngettext(
            "Offline: {count} conversation hidden, deleted once connected · {key} takes it back",
            "Offline: {count} conversations hidden, deleted once connected · {key} takes them back",
            count,
        ),
        count=_counted(count),
        key=undo,
    )


def would_mark(count: int, shown: int) -> Content:
    """While one types what to mark."""
    return safe.template(_("{count} of {shown} match · Enter marks them"), count=_counted(count), shown=_counted(shown))


def marked(count: int) -> Content:
    """A query was carried out."""
    return safe.template(ngettext("{count} row marked", "{count} rows marked", count), count=_counted(count))


def stopped(deleted_count: int, left: int) -> Content:
    """Esc ended a long deletion."""
    return safe.template(
        _("Stopped: {deleted} deleted, {left} left as they are"), deleted=_counted(deleted_count), left=_counted(left)
    )


def failed(count: int, *, retry: str) -> Content:
    """Some of them were refused; the reasons stand on the rows."""
    return safe.template(
        ngettext(
            "{count} conversation could not be deleted · {key} tries again",
            "{count} conversations could not be deleted · {key} tries again",
            count,
        ),
        count=_counted(count),
        key=retry,
    )


def kept(sender: str, name: str, *, direct: bool) -> Content:
    """A message came in between confirming and deleting: the row stays for it."""
    if direct:
        return safe.template(_("{name} wrote while you were deleting: kept"), name=sender)
    return safe.template(_("{name} wrote in {group} while you were deleting: kept"), name=sender, group=name)


def deleted_elsewhere(device: str, count: int, *, undo: str | None) -> Content:
    """Another device of one's own deleted; `undo` as of `deleted`."""
    if undo is None:
        return safe.template(
            ngettext("Deleted on {device}: {count} conversation", "Deleted on {device}: {count} conversations", count),
            device=device,
            count=_counted(count),
        )
    return safe.template(
        ngettext(
            "Deleted on {device}: {count} conversation · {key} brings it back",
            "Deleted on {device}: {count} conversations · {key} brings them back",
            count,
        ),
        device=device,
        count=_counted(count),
        key=undo,
    )


def cleared_elsewhere(log: str) -> Content:
    """The open conversation's messages went because another device deleted it, and a newer one keeps its row."""
    return safe.template(
        _("The older messages here were deleted on another device of yours · {key} shows when"), key=log
    )


def deleted_while_away(device: str, count: int, *, log: str) -> Content:
    """The same, while this client was not connected."""
    return safe.template(
        ngettext(
            "While you were away: {count} conversation deleted on {device} · {key}",
            "While you were away: {count} conversations deleted on {device} · {key}",
            count,
        ),
        device=device,
        count=_counted(count),
        key=log,
    )


def restored(count: int, device: str | None) -> Content:
    """An undo brought rows back."""
    if device is None:
        return safe.template(
            ngettext("{count} conversation is back", "{count} conversations are back", count), count=_counted(count)
        )
    return safe.template(
        ngettext("Restored on {device}: {count} conversation", "Restored on {device}: {count} conversations", count),
        device=device,
        count=_counted(count),
    )


def marks_cleared(count: int, *, again: str) -> Content:
    """Esc took the marks away; they can be had again."""
    return safe.template(
        ngettext(
            "{count} mark cleared · {key} brings it back", "{count} marks cleared · {key} brings them back", count
        ),
        count=_counted(count),
        key=again,
    )


def refused(error: ErrorBody) -> Content:
    """What a server said no with; its message is a line of English from outside."""
    return safe.one_line(refusal(error))


def held(error: ErrorBody) -> Content:
    """The server fails at a queued command again and again."""
    return safe.template(_("Still waiting, the server fails at it: {reason}"), reason=refusal(error))


def not_changed(error: ErrorBody) -> Content:
    """A change of a message was refused."""
    return safe.template(_("Not changed: {reason}"), reason=refusal(error))


def notice(change: Notice) -> Content:
    """What the session itself has to tell."""
    match change.what:
        case "cache_rebuilt":
            return Content(_("What was kept on this machine was damaged; it is fetched anew"))
        case "cache_from_backup":
            return Content(_("What was kept on this machine was damaged; the backup was taken"))
        case "disk_full":
            return Content(_("The disk is full: nothing more is kept on this machine"))
        case "disk_failed":
            return safe.template(_("Nothing can be kept on this machine: {why}"), why=change.detail)
        case "cannot_connect":
            return safe.template(_("No connection: {why} · `tui-chat doctor` looks closer"), why=change.detail)


def remaining(milliseconds: int) -> str:
    """A time that runs down: 9:41, or 1:02:05."""
    seconds = max(0, milliseconds // 1000)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def last_arrival(device: str, milliseconds: float | None) -> Content:
    """The title of the second device beside the first."""
    if milliseconds is None:
        return safe.one_line(device)
    return safe.template(
        _("{device} · last deletion arrived in {time} ms"), device=device, time=str(max(1, round(milliseconds)))
    )


def blocked(row: Conversation) -> str | None:
    """Why nothing can be written there."""
    if row.type is ConversationType.SYSTEM:
        return _("Nobody can write to the system.")
    match row.membership:
        case Membership.LEFT:
            return _("You left this group: you can read what you saw, and write nothing.")
        case Membership.KICKED:
            return _("You were removed from this group: you can read what you saw, and write nothing.")
        case Membership.DISMISSED:
            return _("This group was dismissed: you can read it, and write nothing.")
    if row.muted_all and row.role == "member":
        return _("This group is muted: only its owner and administrators can write.")
    return None


def settings_left_out(count: int) -> Content:
    """Of the settings file not everything could be used."""
    return safe.template(
        ngettext(
            "{count} setting is wrong and left out: `tui-chat config check` names it",
            "{count} settings are wrong and left out: `tui-chat config check` names them",
            count,
        ),
        count=_counted(count),
    )
