"""Options that several commands share."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from tui_chat.locale import _

if TYPE_CHECKING:
    from tui_chat.client.query import Query

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = Any


NAMES: Final = "bob, '#ubuntu', system, C2Cbob; - reads them from standard input, one a line, as list prints them"
"""What stands in a command's words for the conversations that it is about."""


def add_account_options(parser: argparse.ArgumentParser) -> None:
    """Which account: a stored one, or one for this run. They may stand before the command as well."""
    # SUPPRESS keeps a subcommand's absent option from overwriting the one given before the subcommand.
    account = parser.add_argument_group("account")
    account.add_argument("--profile", metavar="NAME", default=argparse.SUPPRESS, help="a stored account (see login)")
    account.add_argument(
        "--server", metavar="URL", default=argparse.SUPPRESS, help="this server, for this run (with --user)"
    )
    account.add_argument(
        "--user",
        metavar="NAME",
        default=argparse.SUPPRESS,
        help="this user, for this run; the password comes from TUI_CHAT_PASSWORD or a prompt",
    )
    add_debug_option(parser)


def add_debug_option(parser: argparse.ArgumentParser) -> None:
    """--debug: a log of this run. It may stand before the command as well."""
    parser.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS,
        help="write a log of what happens (nobody's messages, no passwords), and say where it is",
    )


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """--json: one object a line, with the protocol's field names. It may stand before the command as well."""
    # SUPPRESS keeps its absence here from overwriting the one before the command, whose parser sets the default.
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON, one object a line")


def add_limit_option(parser: argparse.ArgumentParser) -> None:
    """--limit: how many messages are printed."""
    parser.add_argument("--limit", type=from_one, default=50, metavar="N", help="how many messages (%(default)s)")


def add_match_option(parser: argparse.ArgumentParser) -> None:
    """--match: what the screen's filter takes as well."""
    parser.add_argument(
        "--match",
        metavar="QUERY",
        type=_query,
        help="those that match: words of names, and older:30d unread: type:group messages:<3 muted: left: …; "
        "a space is and, | or, - not",
    )


def from_one(text: str) -> int:
    """A number of things that are wanted, at least one. Raises argparse.ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(_("takes a number from 1, not {word!r}").format(word=text))
    return int(text)


def _query(text: str) -> "Query":
    from tui_chat.client.query import QueryError, parse
    from tui_chat.tui.refusals import query_fault

    try:
        return parse(text)
    except QueryError as error:
        said = query_fault(error).format(position=error.position, text=error.text)
        raise argparse.ArgumentTypeError(said) from error
