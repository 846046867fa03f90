"""`tui-chat admin migrate-database`: a stopped server's data, moved from SQLite to PostgreSQL."""

import argparse
import sys
from pathlib import Path

from tui_chat.locale import _

from .arguments import Commands


def add(commands: Commands) -> None:
    """Declare it, among the administrator's commands."""
    parser = commands.add_parser(
        "migrate-database",
        help="move a stopped server's data from SQLite to PostgreSQL",
        description="Copy a stopped server's data into an empty PostgreSQL database, all of it or nothing, and compare"
        " every row. The file stays as it is. Then: tui-chat serve --database POSTGRES. Devices stay logged in.",
    )
    parser.add_argument(
        "sqlite", type=Path, metavar="SQLITE", help="the database's file, or the server's data (a directory)"
    )
    parser.add_argument(
        "postgres", metavar="POSTGRES", help="postgresql://USER@HOST/NAME (a password: in PGPASSWORD or ~/.pgpass)"
    )
    parser.add_argument("--check", action="store_true", help="copy nothing, only compare")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Copy, or compare, and say what came of it."""
    from tui_chat.clock import system_clock
    from tui_chat.protocol.errors import Unavailable
    from tui_chat.server.engines import DatabaseInUse
    from tui_chat.server.options import DATABASE, is_postgres

    from .exits import FAILED, USAGE
    from .output import print_line

    source: Path = arguments.sqlite / DATABASE if arguments.sqlite.is_dir() else arguments.sqlite
    if not is_postgres(arguments.postgres):
        return _failed(
            _("the second argument is the address of a PostgreSQL database: postgresql://USER@HOST/NAME"), USAGE
        )
    try:
        from tui_chat.server.engines.postgres_copy import CannotMigrate, compare_databases, migrate_database
    except ImportError as error:
        said = _("PostgreSQL's driver is missing ({error}): pip install 'tui-chat[postgres]'")
        return _failed(said.format(error=error), FAILED)
    try:
        if arguments.check:
            different = compare_databases(source, arguments.postgres, progress=_report)
            if different:
                return _failed(_("they differ in {tables}").format(tables=", ".join(different)), FAILED)
            print_line(_("both have the same rows in every table"))
            return 0
        rows = migrate_database(source, arguments.postgres, now=system_clock(), progress=_report)
    except DatabaseInUse as error:
        return _failed(_("{reason}: stop the server first").format(reason=error), FAILED)
    except (CannotMigrate, Unavailable, RuntimeError) as error:
        return _failed(str(error), FAILED)
    said = _("{count} rows were copied and compared; serve them with: tui-chat serve --database POSTGRES")
    print_line(said.format(count=rows))
    print_line(_("{path} stays as it is; keep it until you are sure").format(path=source))
    return 0


def _report(what: str, table: str, number: int, total: int) -> None:
    if total:
        print(f"{what} {table}: {number} of {total}", file=sys.stderr, flush=True)


def _failed(why: str, code: int) -> int:
    from tui_chat.protocol.text import clean_name

    print(f"tui-chat: {clean_name(why)}", file=sys.stderr)
    return code
