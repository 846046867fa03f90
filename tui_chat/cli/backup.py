"""`tui-chat admin backup` and `admin restore`: a server's data, copied while it runs and put back while it does not."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_chat.locale import _

from .arguments import Commands, add_account_options, add_json_option

if TYPE_CHECKING:
    from tui_chat.server.engines.sqlite_takeover import TakenOver


def add(commands: Commands) -> None:
    """Declare both, among the administrator's commands."""
    backup = commands.add_parser(
        "backup",
        help="copy the server's data while it runs",
        description="Copy a server's data while it runs. With FILE: of the server on this machine, into that file."
        " Without: the server is asked (by an administrator) and writes into its own directory for backups.",
    )
    backup.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a new file; needs no account")
    backup.add_argument("--data", type=Path, metavar="DIR", help="the server's data (with FILE)")
    add_account_options(backup)
    add_json_option(backup)
    backup.set_defaults(run=run_backup)
    restore = commands.add_parser(
        "restore",
        help="put a backup in the place of a stopped server's data",
        description="Put a backup in the place of a stopped server's data. The data that was there is put aside, not"
        " removed. Clients find the new state by themselves; their drafts and their outboxes stay.",
    )
    restore.add_argument("file", type=Path, metavar="FILE", help="the backup")
    restore.add_argument("--data", type=Path, metavar="DIR", help="the server's data")
    restore.set_defaults(run=run_restore)


def run_backup(arguments: argparse.Namespace) -> int:
    """Copy into FILE, or ask the server to."""
    import asyncio

    if arguments.file is None:
        return asyncio.run(_ask(arguments))
    with _clean_at_sigterm():
        return _copy(arguments.file, _data(arguments))


def run_restore(arguments: argparse.Namespace) -> int:
    """Restore, and say where everything is."""
    from tui_chat.clock import system_clock
    from tui_chat.server.engines import DatabaseInUse
    from tui_chat.server.engines.sqlite_files import NotADatabase, SqliteError
    from tui_chat.server.engines.sqlite_restore import restore

    from .output import print_line

    try:
        with _clean_at_sigterm():
            restored = restore(arguments.file, _data(arguments), now=system_clock())
    except DatabaseInUse as error:
        return _failed(_("{reason}: stop the server first").format(reason=error))
    except (NotADatabase, RuntimeError, SqliteError) as error:
        return _failed(_("{reason}; nothing was changed").format(reason=error))
    print_line(_("restored into {path}").format(path=restored.database))
    if restored.aside is not None:
        said = _("what was there before is kept as {path}; remove it when you no longer need it")
        print_line(said.format(path=restored.aside))
        for line in _taken_over(restored.taken_over):
            print_line(line)
    return 0


def _taken_over(taken: "TakenOver | None") -> list[str]:
    if taken is None:
        return [
            _(
                "the data that was there is damaged: everybody has to log in again, and what was ended since the backup"
                " is back: erased accounts, recalled messages, final deletions, administrators' rights, used"
                " invitations; names given out since can be given out again"
            )
        ]
    lines = [
        _("devices stay logged in as they were; passwords are those of the backup"),
        _(
            "still ended: accounts erased ({erased}), messages recalled ({withdrawn}), deletions made final ({final}),"
            " administrators demoted ({demoted}), invitations used ({invitations}); names given out since ({names})"
            " stay reserved, the log of administrators goes on"
        ).format(
            erased=taken.erased,
            withdrawn=taken.withdrawn,
            final=taken.final,
            demoted=taken.demoted,
            invitations=taken.invitations,
            names=taken.names,
        ),
        _(
            "not taken over: messages, edits, reactions, memberships, read marks, blocks and settings of after the"
            " backup, and deletions that can still be undone"
        ),
    ]
    if taken.names:
        lines.append(
            _(
                "accounts made since the backup are gone: whoever had one is told that the user is unknown or the"
                " password wrong, and needs an invitation (tui-chat admin invite) and another name"
            )
        )
    return lines


async def _ask(arguments: argparse.Namespace) -> int:
    from .account import session_for
    from .output import print_answer

    async with session_for(arguments) as session:
        made: Any = await session.backup()
    said = _("{file} in the server's directory for backups ({size:.1f} MB, {seconds:.1f} s)")
    said = said.format(file=made.file, size=made.bytes / 1e6, seconds=made.seconds)
    print_answer(made, said, as_json=arguments.json)
    return 0


@contextmanager
def _clean_at_sigterm() -> Iterator[None]:
    """Have SIGTERM, as from a service manager that waits no longer, leave nothing half written behind."""
    import signal

    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _copy(file: Path, data: Path) -> int:
    from tui_chat.server.engines.sqlite_files import NotADatabase, SqliteError, copy
    from tui_chat.server.options import DATABASE

    from .output import print_line

    if file.exists():
        return _failed(_("{file} is there already; give a new name").format(file=file))
    if not (data / DATABASE).is_file():
        return _failed(_("{path} has no server's data; give the directory with --data DIR").format(path=data))
    try:
        copy(data / DATABASE, file)
    except (NotADatabase, SqliteError) as error:
        return _failed(_("{file} was not written: {error}").format(file=file, error=error))
    size = file.stat().st_size / 1e6
    print_line(_("{file} ({size:.1f} MB, checked)").format(file=file, size=size))
    return 0


def _data(arguments: argparse.Namespace) -> Path:
    """The server's data: as given, else as `serve` finds it."""
    import os

    from tui_chat.config import Paths, ServerSettings, read_settings

    if arguments.data is not None:
        return Path(arguments.data)
    paths = Paths.of_user()
    said = ServerSettings.of_environment(os.environ).over(read_settings(paths.settings_file).server).data
    return paths.server_data if said is None else Path(said)


def _failed(why: str) -> int:
    from tui_chat.protocol.text import clean_name

    from .exits import FAILED

    print(f"tui-chat: {clean_name(why)}", file=sys.stderr)
    return FAILED
