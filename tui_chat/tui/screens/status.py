"""What the status line says: from a session's state to facts, pure."""

from collections.abc import Sequence
from typing import Final

from tui_chat.client.changes import Connection
from tui_chat.client.results import QueuedCommand, UndoableBatch
from tui_chat.locale import _, ngettext
from tui_chat.protocol.models import ServerFacts
from tui_chat.tui.commands.command import Command, KeysOf, Scope, key_name
from tui_chat.tui.render.cells import width
from tui_chat.tui.safe import Safe, fill, join, own
from tui_chat.tui.themes import Symbols
from tui_chat.tui.widgets.status_bar import Fact, Hint

from .sentences import remaining

PRINTABLE: Final = frozenset({"question_mark"})


def connection_fact(connection: Connection, queued: int, symbols: Symbols) -> Fact:
    """Connected, connecting, or offline with what waits."""
    match connection:
        case Connection.CONNECTED:
            said, sign, style = _("connected"), symbols.full, "good"
        case Connection.CONNECTING:
            said, sign, style = _("connecting"), symbols.sending, "warning"
        case Connection.SIGNED_OUT:
            said, sign, style = _("signed out: log in again"), symbols.empty, "error"
        case _:
            said, sign, style = _("offline"), symbols.empty, "warning"
    text = join(sign, own(" "), own(said))
    if queued:
        said = ngettext("{state}, {count} queued", "{state}, {count} queued", queued)
        text = fill(said, state=text, count=f"{queued:,}")
    return Fact(text, 9, style, short=sign if connection is Connection.CONNECTED and not queued else None)


def actions(queue: Sequence[QueuedCommand]) -> int:
    """How much waits, as the person counts it: what is done to ten thousand conversations are ten thousand, in however
    many calls it goes out."""
    return sum(max(1, len(one.conversation_id_list)) for one in queue)


def waiting_fact(what: Safe, symbols: Symbols) -> Fact:
    """In the connection's place, while there is nothing yet to connect to."""
    return Fact(join(symbols.sending, own(" "), what), 9, "warning")


def account_fact(user_id: str, device_name: str) -> Fact:
    """Who, and on which device."""
    return Fact(fill(_("{user} on {device}"), user=user_id, device=device_name), 3, short=fill("{user}", user=user_id))


def sync_fact(server: ServerFacts, *, demo: bool) -> Fact:
    """Whether a deletion is carried to one's other devices."""
    if not server.version:
        return Fact(own(""), 0)
    if not server.sync_conversation_deletion:
        return Fact(own(_("sync of deletions: off")), 5, short=own(_("sync: off")))
    plain = own(_("sync of deletions: on"))
    if demo:
        return Fact(own(_("sync of deletions: on (demo · real servers start with off)")), 5, short=plain)
    return Fact(plain, 5, short=own(_("sync: on")))


def undo_fact(undoable: Sequence[UndoableBatch], now: int, key: str) -> Fact | None:
    """What the key undoes, and for how long."""
    if not undoable:
        return None
    newest = undoable[0]
    if newest.queued:
        return Fact(fill(_("{key} undo"), key=key), 8, "strong")
    return Fact(fill(_("{key} undo {time}"), key=key, time=remaining(newest.undo_until - now)), 8, "strong")


def marks_fact(count: int) -> Fact | None:
    """How many are marked."""
    if not count:
        return None
    return Fact(fill(ngettext("{count} marked", "{count} marked", count), count=f"{count:,}"), 10, "strong")


def hints(commands: Sequence[Command], scope: Scope | None, keys_of: KeysOf) -> list[Hint]:
    """Keys that do something now; the help is kept longest. While one writes, letters are text: F1, not `?`."""
    found: list[Hint] = []
    for command in commands:
        keys = [key for key in keys_of(command) if scope is not Scope.COMPOSER or key not in PRINTABLE]
        if keys:
            priority = {"help": 7, "delete": 7, "retry": 6}.get(command.id, 4)
            found.append(Hint(key_name(keys[0]), own(_(command.label)), priority))
    return found


def progress(done: int, total: int, seconds: float, cells: int, symbols: Symbols, stop: str) -> Safe:
    """A long deletion: how far, how fast, and how it is stopped."""
    rate = f"{round(done / seconds):,}" if seconds > 0 and done else "…"
    pattern = _("Deleting {done} of {total} · {rate}/s · {key} stops")
    text = fill(pattern, done=f"{done:,}", total=f"{total:,}", rate=rate, key=stop)
    room = cells - width(text) - 4
    if room < 8:
        return symbols.word(text)
    filled = round(room * done / total) if total else room
    full, empty = (own("#"), own(".")) if symbols.ascii else (own("█"), own("░"))
    return join(own(" "), symbols.word(text), own("  "), *[full] * filled, *[empty] * (room - filled))
