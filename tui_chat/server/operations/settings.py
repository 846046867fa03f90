"""What an administrator can change while the server runs, and what clients are told of it."""

from typing import Any

import msgspec

from tui_chat import __version__
from tui_chat.protocol.errors import InvalidRequest
from tui_chat.protocol.limits import UNDO_SECONDS_MOST
from tui_chat.protocol.models import ServerFacts, Settings
from tui_chat.protocol.requests import ChangeSettings, SettingsAnswer
from tui_chat.protocol.wire import to_plain
from tui_chat.server.engines import Transaction

from . import audit
from .caller import Caller, administrators_only


def current(tx: Transaction) -> Settings:
    """The settings as they stand; what was never changed has its default."""
    stored: dict[str, Any] = {
        name: msgspec.json.decode(value) for name, value in tx.all("SELECT name, value FROM setting")
    }
    return msgspec.structs.replace(Settings(), **stored)


def facts(tx: Transaction) -> ServerFacts:
    """What every client knows of its server."""
    settings = current(tx)
    return ServerFacts(
        version=__version__,
        sync_conversation_deletion=settings.sync_conversation_deletion,
        undo_seconds=settings.undo_seconds,
    )


def get(tx: Transaction, caller: Caller) -> SettingsAnswer:
    """The settings, for an administrator."""
    administrators_only(tx, caller)
    return SettingsAnswer(settings=current(tx))


def change(tx: Transaction, caller: Caller, request: ChangeSettings) -> SettingsAnswer:
    """Change what is given. It applies from then on, not backwards; connected clients are told of what they know
    of it, where that is another now.

    Raises:
        AdministratorOnly, InvalidRequest.
    """
    administrators_only(tx, caller)
    before = current(tx)
    after = apply(tx, request)
    if after != before:
        audit.note(tx, caller, "settings.changed", **_changed(before, after))
    return SettingsAnswer(settings=after)


def _changed(before: Settings, after: Settings) -> dict[str, Any]:
    """The settings that are other than before, under their names on the wire."""
    was = to_plain(before)
    return {name: value for name, value in to_plain(after).items() if value != was[name]}


def apply(tx: Transaction, request: ChangeSettings) -> Settings:
    """The same for whoever runs the server, who needs no account. Raises InvalidRequest."""
    before = facts(tx)
    if request.undo_seconds is not None and not 0 <= request.undo_seconds <= UNDO_SECONDS_MOST:
        raise InvalidRequest(f"undoSeconds is from 0 to {UNDO_SECONDS_MOST}")
    for name in request.__struct_fields__:
        value = getattr(request, name)
        if value is not None:
            tx.execute(
                "INSERT INTO setting (name, value) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                name,
                msgspec.json.encode(value).decode(),
            )
    now = facts(tx)
    if now != before:
        tx.settings_changed = now
    return current(tx)
