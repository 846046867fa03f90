"""The command line's words. Nothing heavy is imported here, so that --help is instant."""

import argparse
from typing import Any

from tui_chat import __version__

from . import (
    admin,
    completion,
    config,
    conversations,
    delete,
    demo,
    devices,
    doctor,
    export,
    flag,
    groups,
    log,
    login,
    open_client,
    own_account,
    read,
    search,
    send,
    serve,
    undo,
    watch,
)


class Words(argparse.ArgumentParser):
    """A command's words and options in any order; what it does not know is said with the usage of that command.

    argparse by itself gives an optional word up at the first option (`send bob --json TEXT`), and leaves what a command
    does not know to the parser of the whole, whose usage says nothing of the command. Commands are of this class as
    well: argparse makes them of their parent's.
    """

    _by_order = False
    """Within `parse_known_intermixed_args`, which asks for the options alone, then for the words."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """argparse: for a command this is where its words are read. Ends the program where it knows one of them not."""
        if self._by_order:
            return super().parse_known_args(args, namespace)
        if self._subparsers is not None:
            found, unknown = super().parse_known_args(args, namespace)
        else:
            self._by_order = True
            try:
                found, unknown = self.parse_known_intermixed_args(args, namespace)
            finally:
                self._by_order = False
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, []


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command; every subcommand sets `run`, which takes the parsed arguments."""
    parser = Words(
        prog="tui-chat",
        description="Chat in the terminal; mark many conversations, delete them in one go, undo it.",
        epilog="Without a command the client opens. `tui-chat demo` is the place to start.",
    )
    parser.add_argument("--version", action="version", version=f"tui-chat {__version__}")
    open_client.add_options(parser)
    parser.set_defaults(run=open_client.run)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    modules = (
        demo,
        serve,
        login,
        devices,
        conversations,
        read,
        search,
        send,
        delete,
        undo,
        log,
        flag,
        watch,
        groups,
        doctor,
        own_account,
        export,
        config,
        completion,
        admin,
    )
    for module in modules:
        module.add(commands)
    return parser
