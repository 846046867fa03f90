"""`tui-chat serve`: run a server."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_chat.locale import _

from .arguments import Commands

if TYPE_CHECKING:
    from tui_chat.config import ServerSettings
    from tui_chat.server.options import ServerOptions
    from tui_chat.server.run import Listening

_EPILOG = """\
Each option can also stand in the environment (--tls-cert as TUI_CHAT_TLS_CERT, lists with commas, switches as true or
false) and in the [server] table of the settings file (as tls_cert); an option counts more than the environment, and
that more than the file. SIGHUP reads the certificate again; a second Ctrl+C ends the server at once.
"""


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "serve",
        help="run a server",
        description="Run a server; it stops at Ctrl+C or SIGTERM, after what is under way.",
        epilog=_EPILOG,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (~/.config/tui-chat/settings.toml)")
    listening = parser.add_argument_group("listening")
    listening.add_argument("--host", metavar="ADDRESS", help="address to listen on (127.0.0.1)")
    listening.add_argument("--port", type=_port, metavar="N", help="port; 0 takes a free one (8790)")
    listening.add_argument("--public-url", metavar="URL", help="where others reach it; closes open registration")
    listening.add_argument("--tls-cert", metavar="FILE", help="certificate chain (PEM)")
    listening.add_argument("--tls-key", metavar="FILE", help="private key (PEM)")
    listening.add_argument(
        "--trusted-proxy", action="append", metavar="ADDRESS", help="proxy whose X-Forwarded-For is believed"
    )
    listening.add_argument(
        "--origin", action="append", metavar="URL", help="web origin that is let in (terminals send none)"
    )
    listening.add_argument(
        "--insecure",
        action="store_true",
        default=None,
        help="allow plain HTTP beyond this machine (passwords can be read on the way)",
    )
    keeping = parser.add_argument_group("data")
    keeping.add_argument("--data", metavar="DIR", help="directory of the database (~/.local/share/tui-chat/server)")
    keeping.add_argument(
        "--database",
        metavar="ADDRESS",
        help="keep the data in PostgreSQL: postgresql://USER@HOST/NAME (a password is better in TUI_CHAT_DATABASE)",
    )
    keeping.add_argument("--backups", metavar="DIR", help="where backups go (DATA/backups)")
    keeping.add_argument(
        "--sync-deletions", choices=("on", "off"), help="turn the sync of deletions on or off (else as it was)"
    )
    sharing = parser.add_argument_group("several processes")
    sharing.add_argument(
        "--workers",
        type=_workers,
        metavar="N",
        help="processes that share the address; more than one need PostgreSQL (1)",
    )
    sharing.add_argument(
        "--bus",
        metavar="ADDRESS",
        help="how processes at one database tell each other: postgres, postgresql://… around a pooler, nats://HOST:PORT"
        " (several with commas), or local where there is one process alone (postgres; local with SQLite)",
    )
    watching = parser.add_argument_group("watching")
    watching.add_argument("--log-format", choices=("text", "json"), help="how the log on standard error looks (text)")
    watching.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), help="what of it is written (info)"
    )
    watching.add_argument(
        "--access-log", action="store_true", default=None, help="a line for each request, without what it was about"
    )
    watching.add_argument(
        "--metrics-token-file",
        metavar="FILE",
        help="holds a token with which /metrics is read from anywhere (else from this machine alone)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    import asyncio

    from tui_chat.server.logs import logging_to
    from tui_chat.server.run import new_event_loop, serve

    settings = server_settings(arguments, os.environ)
    options = options_of(settings)
    log_format, log_level = settings.log_format or "text", settings.log_level or "info"
    with (
        logging_to(form=log_format, level=log_level),
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        if options.workers == 1:
            runner.run(serve(options, ready=_announce))
        else:
            from tui_chat.server.workers import serve_with_workers

            runner.run(serve_with_workers(options, ready=_announce, log_format=log_format, log_level=log_level))
    return 0


def server_settings(arguments: argparse.Namespace, environment: Any) -> "ServerSettings":
    """What was said, wherever: option, environment, file. Raises ConfigError."""
    from tui_chat.config import Paths, ServerSettings, read_settings

    chosen: Path | None = arguments.config
    if chosen is None and environment.get("TUI_CHAT_CONFIG"):
        chosen = Path(environment["TUI_CHAT_CONFIG"])
    file = read_settings(chosen or Paths.of_user().settings_file, must_exist=chosen is not None).server
    given = {name: getattr(arguments, name) for name in ServerSettings.__struct_fields__}
    return ServerSettings(**given).over(ServerSettings.of_environment(environment)).over(file)


def options_of(settings: "ServerSettings") -> "ServerOptions":
    """The same as the server takes it. Raises ConfigError where the file of the metrics' token cannot be used."""
    from tui_chat.config import ConfigError, Paths
    from tui_chat.server.options import ServerOptions

    def path(name: str) -> Path | None:
        said: str | None = getattr(settings, name)
        return None if said is None else Path(said)

    token = None
    if settings.metrics_token_file is not None:
        try:
            token = Path(settings.metrics_token_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            said = _("cannot be read ({error})").format(error=error)
            raise ConfigError(f"{settings.metrics_token_file}: {said}") from error
        if len(token) < 16 or not token.isascii() or not token.isprintable() or " " in token:
            said = _("a token is at least 16 characters without spaces")
            raise ConfigError(f"{settings.metrics_token_file}: {said}")
    defaults = ServerOptions(data=Paths.of_user().server_data)
    return ServerOptions(
        host=defaults.host if settings.host is None else settings.host,
        port=defaults.port if settings.port is None else settings.port,
        data=path("data") or defaults.data,
        database=settings.database,
        bus=settings.bus,
        workers=defaults.workers if settings.workers is None else settings.workers,
        public_url=settings.public_url,
        insecure=bool(settings.insecure),
        tls_cert=path("tls_cert"),
        tls_key=path("tls_key"),
        trusted_proxy=tuple(settings.trusted_proxy or ()),
        origins=tuple(settings.origin or ()),
        sync_deletions=None if settings.sync_deletions is None else settings.sync_deletions == "on",
        backups=path("backups"),
        metrics_token=token,
        access_log=bool(settings.access_log),
    )


def _announce(server: "Listening") -> None:
    """Say where it listens (the first line, which programs read), and what its administrator has to know."""
    from tui_chat.server.garbage import collect_rarely

    collect_rarely()
    print(f"Listening on {server.url}", flush=True)
    synced = server.settings.sync_conversation_deletion
    said = (
        _("Sync of deletions across a person's devices: on")
        if synced
        else _("Sync of deletions across a person's devices: off")
    )
    print(f"{said} (tui-chat admin set sync-conversation-deletion {'off' if synced else 'on'})", flush=True)
    if server.empty:
        command = f"tui-chat register --server {server.reached_at} --user NAME"
        if server.invitation is not None:
            command += f" --invite {server.invitation}"
        print(_("No account yet. The first one administers the server:"), f"  {command}", sep="\n", flush=True)


def _workers(text: str) -> int:
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(_("takes a whole number from 1, not {word!r}").format(word=text))
    return int(text)


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(_("takes a whole number from 0 to 65535, not {word!r}").format(word=text))
    return int(text)
