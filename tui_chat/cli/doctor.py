"""`tui-chat doctor`: what could be in the way of the client, one line each, with what to do about it."""

import argparse
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_chat.locale import N_, _

from .arguments import Commands, add_account_options, add_json_option

if TYPE_CHECKING:
    from tui_chat.client.credentials import StoredCredentials
    from tui_chat.config import Paths

CLOCK_SECONDS: Final = 30.0
"""A clock that is further off the server's shows times that confuse people."""
CERTIFICATE_DAYS: Final = 14
"""A certificate that ends sooner is worth a word."""


class Check(NamedTuple):
    """One thing that was looked at; `todo` is empty where all is well."""

    what: str
    """As `N_` marks it, which is how programs read it."""
    found: str
    todo: str = ""

    @property
    def ok(self) -> bool:
        """Whether there is nothing to do."""
        return not self.todo


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "doctor",
        help="look for what could be in the way",
        description="Look at the terminal, the settings, the files, the stored account, the server and its clock; one"
        " line each. The exit code is 1 where something is wrong.",
    )
    parser.add_argument("at", nargs="?", metavar="SERVER", help="look at this server, instead of the stored account's")
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run, server_alone=True)


def run(arguments: argparse.Namespace) -> int:
    """Look at everything; what comes first does not need what comes later."""
    import asyncio

    return asyncio.run(_examine(arguments))


async def _examine(arguments: argparse.Namespace) -> int:
    from tui_chat.config import ConfigError

    from .account import use_language_of_settings
    from .exits import FAILED
    from .output import columns, print_json, print_line

    with suppress(ConfigError):  # It is told below.
        use_language_of_settings()
    problems = 0
    async for check in _checks(arguments):
        problems += not check.ok
        if arguments.json:
            print_json({"what": check.what, "ok": check.ok, "found": check.found, "todo": check.todo or None})
        else:
            mark = _("ok") if check.ok else _("problem")
            print_line(columns([mark, _(check.what), check.found], [8, 12, 0]))
            if check.todo:
                print_line(columns(["", "", f"→ {check.todo}"], [8, 12, 0]))
    return FAILED if problems else 0


async def _checks(arguments: argparse.Namespace) -> AsyncIterator[Check]:
    from tui_chat.config import Paths

    paths = Paths.of_user()
    for check in (*_program(), *_terminal(), *_settings(paths), *_directories(paths)):
        yield check
    named = arguments.at or getattr(arguments, "server", None)
    if named is not None:
        from .account import server_url

        async for check in _server(server_url(named)):
            yield check
        if check.ok and hasattr(arguments, "user"):
            yield await _signed_in(arguments)
        return
    credentials, check = _account(arguments)
    yield check
    if credentials is not None:
        cache = paths.account_cache(credentials.server_url, credentials.user_id)
        yield await _cache(credentials, cache) if cache.exists() else Check(N_("cache"), _("nothing is kept yet"))
        async for check in _server(credentials.server_url):
            yield check
        if check.ok:
            yield await _signed_in(arguments)


def _program() -> Iterator[Check]:
    import platform

    from tui_chat import __version__

    yield Check(N_("program"), f"tui-chat {__version__}, Python {platform.python_version()}, {platform.system()}")


def _terminal() -> Iterator[Check]:
    import locale
    import os
    import shutil
    import sys

    what = N_("terminal")
    if not sys.stdout.isatty():
        yield Check(what, _("the output goes into a file or a pipe: the terminal was not looked at"))
        return
    encoding = (sys.stdout.encoding or locale.getpreferredencoding()).lower().replace("-", "")
    if encoding == "utf8":
        yield Check(what, "UTF-8")
    else:
        yield Check(what, encoding, _("set a UTF-8 locale, such as LC_ALL=C.UTF-8: names and texts are cut otherwise"))
    width, height = shutil.get_terminal_size()
    size = f"{width}x{height}"
    yield Check(what, size, _("make it larger: 80x24 shows list and messages") if width < 40 or height < 12 else "")
    term = os.environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        yield Check(what, f"TERM={term}", _("set TERM to what the terminal is, such as xterm-256color"))
    elif os.environ.get("NO_COLOR"):
        yield Check(what, f"TERM={term}, " + _("without colours (NO_COLOR)"))
    elif os.environ.get("COLORTERM", "") in ("truecolor", "24bit"):
        yield Check(what, f"TERM={term}, " + _("16 million colours"))
    else:
        yield Check(what, f"TERM={term}, " + (_("256 colours") if "256" in term else _("16 colours")))
    from .keys import extended_keys

    match extended_keys():
        case True:
            yield Check(what, _("tells every key apart (extended key protocol)"))
        case False:
            yield Check(what, _("plain keys: everything works; Ctrl+Enter and the like are not told from Enter"))
        case None:
            yield Check(what, _("does not answer questions: plain keys are used"))


def _settings(paths: "Paths") -> Iterator[Check]:
    from tui_chat.config import ConfigError, mending, read_settings

    what, file = N_("settings"), paths.settings_file
    try:
        read_settings(file)
    except ConfigError as error:
        yield Check(what, str(error).removesuffix(mending()), _("mend or remove the file"))
    else:
        yield Check(what, str(file) if file.exists() else _("{file}: not there, defaults").format(file=file))


def _directories(paths: "Paths") -> Iterator[Check]:
    import os

    for name, path in (
        (N_("config"), paths.config),
        (N_("data"), paths.data),
        (N_("cache"), paths.cache),
        (N_("state"), paths.state),
    ):
        there = path
        while not there.exists():
            there = there.parent
        if not os.access(there, os.W_OK | os.X_OK):
            yield Check(name, str(path), _("make {path} writable for you").format(path=there))
        elif (accounts := path / "accounts").exists() and accounts.stat().st_mode & 0o077:
            yield Check(name, str(path), _("others can look into it: chmod 700 {path}").format(path=accounts))
        else:
            yield Check(name, str(path))


def _account(arguments: argparse.Namespace) -> "tuple[StoredCredentials | None, Check]":
    from tui_chat.config import ConfigError

    from .account import stored
    from .failures import NotSignedIn

    what = N_("account")
    try:
        profile, store, credentials = stored(arguments)
    except (ConfigError, NotSignedIn) as error:
        return None, Check(what, re.split("[;；]", str(error))[0], _("tui-chat login --server URL --user NAME"))
    found = _("{user} at {server} (profile {profile})").format(
        user=credentials.user_id, server=credentials.server_url, profile=profile
    )
    if store.path.stat().st_mode & 0o077:
        return credentials, Check(
            what, found, _("others can read its tokens: chmod 600 {path}").format(path=store.path)
        )
    return credentials, Check(what, found)


async def _cache(credentials: "StoredCredentials", directory: Path) -> Check:
    from tui_chat.client.problems import AccountInUse
    from tui_chat.client.session import ChatSession
    from tui_chat.protocol.errors import ChatError
    from tui_chat.tui.refusals import refusal

    what = N_("cache")
    try:
        async with ChatSession.resume(credentials, cache_directory=directory) as session:
            count, queued = len(session.conversations), session.queued
    except AccountInUse:
        return Check(what, _("a tui-chat is open on it"))
    except (ChatError, OSError) as error:
        said = refusal(error) if isinstance(error, ChatError) else str(error)
        return Check(what, said, _("remove {path}: it is fetched again").format(path=directory))
    found = _("{count} conversations kept").format(count=count)
    return Check(what, found + (_(", {queued} commands wait to be sent").format(queued=queued) if queued else ""))


async def _server(url: str) -> AsyncIterator[Check]:
    import asyncio
    import time

    from tui_chat.client.api import Api
    from tui_chat.client.problems import Untrusted
    from tui_chat.protocol.errors import ChatError
    from tui_chat.protocol.requests import Health
    from tui_chat.tui.refusals import refusal

    what = N_("server")
    api = Api(url)
    try:
        await api.call("GET", "/healthz", Health)  # The first one opens the connection.
        began = time.monotonic()
        health = await api.call("GET", "/healthz", Health)
        seconds = time.monotonic() - began
        now = time.time()
    except Untrusted as error:
        yield Check(
            what,
            f"{url}: {refusal(error)}",
            _("name your CA's file in SSL_CERT_FILE, or mend the server's certificate"),
        )
        return
    except ChatError as error:
        yield Check(what, f"{url}: {refusal(error)}", _("look whether it runs there, and whether the address is right"))
        return
    finally:
        await api.close()
    yield Check(
        what,
        _("{url}: version {version}, answers in {ms} ms").format(
            url=url, version=health.version, ms=round(seconds * 1000, 1)
        ),
    )
    if health.bus == "down":
        yield Check(
            N_("bus"),
            _("the server's processes do not hear each other: messages come some seconds late"),
            _("tell who runs the server to look at its bus (serve --bus)"),
        )
    if health.time:
        off = now - seconds / 2 - health.time / 1000
        todo = _("set one of the two clocks") if abs(off) > CLOCK_SECONDS else ""
        yield Check(N_("clock"), _("{seconds:+.1f} s beside the server's").format(seconds=off), todo)
    if url.startswith("https:"):
        yield await asyncio.to_thread(_certificate, url)


def _certificate(url: str) -> Check:
    import socket
    import ssl
    import time
    from urllib.parse import urlsplit

    what, parts = "TLS", urlsplit(url)
    host = parts.hostname or ""
    try:
        with (
            socket.create_connection((host, parts.port or 443), timeout=5) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured,
        ):
            certificate, version = secured.getpeercert() or {}, secured.version()
    except OSError as error:
        return Check(what, str(error), _("look at the server's certificate"))
    ends = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    days = int((ends - time.time()) / 86_400)
    todo = _("renew the server's certificate") if days < CERTIFICATE_DAYS else ""
    return Check(what, _("{version}; the certificate is good for {days} days").format(version=version, days=days), todo)


async def _signed_in(arguments: argparse.Namespace) -> Check:
    from tui_chat.protocol.errors import ChatError
    from tui_chat.tui.refusals import refusal

    from .account import session_for

    what = N_("session")
    try:
        async with session_for(arguments) as session:
            found = _("signed in on {device}").format(device=session.device_name)
    except ChatError as error:
        return Check(what, refusal(error), _("tui-chat login --server URL --user NAME"))
    return Check(what, found)
