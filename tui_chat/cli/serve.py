"""`tui-chat serve`: run a server."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import Commands

if TYPE_CHECKING:
    from tui_chat.server.run import Listening


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "serve",
        help="run a server",
        description="Run a server; it stops at Ctrl+C or SIGTERM, after what is under way.",
    )
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=8790, metavar="N", help="port; 0 takes a free one (%(default)s)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="directory of the database")
    parser.add_argument("--public-url", metavar="URL", help="where others reach it; closes open registration")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate chain (PEM)")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="private key (PEM)")
    parser.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="proxy whose X-Forwarded-For is believed",
    )
    parser.add_argument(
        "--origin", action="append", default=[], metavar="URL", help="web origin that is let in (terminals send none)"
    )
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="allow plain HTTP beyond this machine (passwords can be read on the way)",
    )
    parser.add_argument(
        "--sync-deletions", choices=("on", "off"), help="turn the sync of deletions on or off (else as it was)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    import asyncio

    from tui_chat.config import Paths
    from tui_chat.server.run import ServerOptions, new_event_loop, serve

    options = ServerOptions(
        host=arguments.host,
        port=arguments.port,
        data=arguments.data or Paths.of_user().server_data,
        public_url=arguments.public_url,
        insecure=arguments.insecure,
        tls_cert=arguments.tls_cert,
        tls_key=arguments.tls_key,
        trusted_proxy=tuple(arguments.trusted_proxy),
        origins=tuple(arguments.origin),
        sync_deletions=None if arguments.sync_deletions is None else arguments.sync_deletions == "on",
    )
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(options, ready=_announce))
    return 0


def _announce(server: "Listening") -> None:
    """Say where it listens (the first line, which programs read), and what its administrator has to know."""
    print(f"Listening on {server.url}", flush=True)
    sync = "on" if server.settings.sync_conversation_deletion else "off"
    print(f"Sync of deletions across a person's devices: {sync}", end=" ")
    print(f"(tui-chat admin set sync-conversation-deletion {'off' if sync == 'on' else 'on'})", flush=True)
    if server.empty:
        command = f"tui-chat register --server {server.url} --user NAME"
        if server.invitation is not None:
            command += f" --invite {server.invitation}"
        print(f"No account yet. The first one administers the server:\n  {command}", flush=True)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port
