"""Fill the demo's empty database: alice's mailbox, her groups that ended, the switch on."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from tui_chat.protocol.requests import ChangeSettings, GroupCommand
from tui_chat.server.engines import Transaction
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.operations import groups, members, settings
from tui_chat.server.operations.caller import Caller
from tui_chat.server.operations.importing import import_archive
from tui_chat.server.operations.users import account_of

from .archive import Departure, mailbox
from .excerpt import ALICE, Excerpt

NO_DEVICE: Final = ""
"""What is done here, no device does."""


async def fill(path: Path, excerpt: Excerpt, *, now: int, password_hash: str) -> None:
    """Make the database at `path`, as if everything had happened up to `now` (ms since 1970)."""
    moment = now

    def clock() -> int:
        return moment

    engine = await SqliteEngine.open(path, clock=clock)
    try:
        box = mailbox(excerpt, now=now, password_hash=password_hash)
        await engine.write(lambda tx: import_archive(tx, box.archive))
        for departure in box.departures:
            moment = departure.time
            await engine.write(_departing(departure))
        moment = now
        await engine.write(
            lambda tx: settings.change(tx, caller_of(tx, ALICE), ChangeSettings(sync_conversation_deletion=True))
        )
    finally:
        await engine.close()


def caller_of(tx: Transaction, user_id: str) -> Caller:
    """Somebody as whom something is done that no device of theirs asked for. Raises UserNotFound."""
    account = account_of(tx, user_id)
    return Caller(
        user=account.key,
        user_id=account.user_id,
        device=0,
        device_id=NO_DEVICE,
        device_name="demo",
        administrator=account.user_id == ALICE,
    )


def _departing(departure: Departure) -> Callable[[Transaction], object]:
    """The job by which alice goes out of a group, or the group out of the world."""
    match departure.what:
        case "left":
            return partial(_as, ALICE, lambda tx, me: members.quit_group(tx, me, departure.group_id, GroupCommand()))
        case "kicked":
            return partial(_as, departure.owner, lambda tx, me: members.kick(tx, me, departure.group_id, ALICE))
        case _:
            return partial(_as, departure.owner, lambda tx, me: groups.dismiss(tx, me, departure.group_id))


def _as(user_id: str, work: Callable[[Transaction, Caller], object], tx: Transaction) -> object:
    return work(tx, caller_of(tx, user_id))
