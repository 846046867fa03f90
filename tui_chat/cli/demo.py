"""`tui-chat demo`: real conversations on a server of its own, to try everything on."""

import argparse

from .arguments import Commands


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "demo",
        help="try it: real conversations on this machine alone",
        description="Start a server on this machine with real conversations and people who go on talking, and open the "
        "client on it. A second `tui-chat demo` joins as another device of the same account.",
    )
    parser.add_argument("--join", action="store_true", help="only join a demo that runs already")
    parser.add_argument("--reset", action="store_true", help="start over with fresh conversations")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Open the demo."""
    import sys

    from .failures import Usage

    if arguments.join and arguments.reset:
        raise Usage("--join and --reset exclude each other")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Usage("the demo needs a terminal")
    return 0
