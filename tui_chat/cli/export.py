"""`tui-chat export`: everything that the server has of the account, as lines of JSON."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from .arguments import Commands, add_account_options

if TYPE_CHECKING:
    from tui_chat.client.session import ChatSession

EVERY: Final = "message"
"""The kind of line that progress counts."""
STEP: Final = 1_000
"""Messages between two words of progress."""


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "export",
        help="write everything of your account as JSON, one object a line",
        description="Write everything that the server has of your account and that you can see: the account, devices,"
        " blocks, the log of deletions, conversations and their messages; as JSON, one object a line.",
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="a new file, readable by you alone")
    parser.add_argument("--force", action="store_true", help="replace the file if it is there")
    add_account_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write it to standard output or into the file."""
    import asyncio
    import sys

    from tui_chat.locale import _, ngettext

    from .account import use_language_of_settings
    from .failures import Usage

    use_language_of_settings()
    file: Path | None = arguments.output
    if file is None:
        count = asyncio.run(_export(arguments, sys.stdout))
    elif file.exists() and not arguments.force:
        raise Usage(_("{file} is there already: name another one, or say --force").format(file=file))
    else:
        with _in_place(file) as out:
            count = asyncio.run(_export(arguments, out))
    words = ngettext("{count} message exported", "{count} messages exported", count).format(count=count)
    _say(words, last=True)
    return 0


@contextmanager
def _in_place(file: Path) -> Iterator[TextIO]:
    """Write beside the file, readable by its owner alone, and put it in its place once it is whole."""
    import os

    from tui_chat.files import open_private

    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(open_private(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="utf-8") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        scratch.replace(file)
    except BaseException as error:
        scratch.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            error.filename = str(file)  # a full disk names none, and nobody knows the other one
        raise


async def _export(arguments: argparse.Namespace, out: TextIO) -> int:
    from .account import session_for

    async with session_for(arguments) as session:
        return await _write(session, out)


async def _write(session: "ChatSession", out: TextIO) -> int:
    """How many messages there were."""
    from contextlib import aclosing

    from tui_chat.locale import _

    from .output import json_line

    count = 0
    async with aclosing(session.export()) as lines:
        async for line in lines:
            out.write(json_line(line, out) + "\n")
            count += _is_message(line)
            if _is_message(line) and count % STEP == 0:
                _say(_("{count} messages …").format(count=count))
    out.flush()
    return count


def _is_message(line: dict[str, Any]) -> bool:
    return line.get("kind") == EVERY


def _say(words: str, *, last: bool = False) -> None:
    """Progress, on standard error; over itself on a terminal, and elsewhere only its end."""
    import sys

    if sys.stderr.isatty():
        print(f"\r{words}\x1b[K", end="\n" if last else "", file=sys.stderr, flush=True)
    elif last:
        print(words, file=sys.stderr)
