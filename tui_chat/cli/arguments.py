"""Options that several commands share."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = Any


def add_account_options(parser: argparse.ArgumentParser) -> None:
    """Which account: a stored one, or one for this run."""
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


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """--json: one object a line, with the protocol's field names."""
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
