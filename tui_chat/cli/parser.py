"""All commands of the command line. Nothing heavy is imported here, so that --help is instant."""

import argparse

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
from .words import Words


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
