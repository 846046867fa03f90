"""Which account a command works on: a stored one, or one named for this run."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui_chat.config import ConfigError, Paths, Profiles, SecretFile, Settings, read_settings
from tui_chat.locale import _, use_language
from tui_chat.protocol.errors import NotConnected, Unauthorized

from .failures import NotSignedIn, OwnWords, Usage

_THIS_MACHINE = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")

if TYPE_CHECKING:
    import argparse

    from tui_chat.client.credentials import StoredCredentials
    from tui_chat.client.session import ChatSession


def use_language_of_settings() -> Settings:
    """Read the settings and speak their language."""

    settings = read_settings(Paths.of_user().settings_file)
    use_language(settings.language)
    return settings


def settings_for_screen() -> Settings:
    """The settings, with the defaults for what is wrong in the file; speaks their language.

    Unlike a plain command the screen starts with a file that has faults, and says so.
    """
    from tui_chat.settings_file import read_leniently

    settings = read_leniently(Paths.of_user().settings_file).settings
    use_language(settings.language)
    return settings


def device_name(settings: Settings) -> str:
    """What the account's other devices call this one."""
    return settings.device_name or platform.node().split(".")[0] or "terminal"


def password_for(user_id: str, *, new: bool = False) -> str:
    """From TUI_CHAT_PASSWORD, else asked for on the terminal (twice where it is a new one).

    Raises:
        Usage: there is neither.
    """
    from getpass import getpass

    password = os.environ.get("TUI_CHAT_PASSWORD")
    if password:
        return password
    if not sys.stdin.isatty():
        raise Usage(_("no terminal to ask for the password on: set TUI_CHAT_PASSWORD"))
    password = getpass(_("Password of {user}: ").format(user=user_id))
    if new and password != getpass(_("Again: ")):
        raise Usage(_("the two passwords are not the same; nothing was done"))
    return password


def ask_password(arguments: argparse.Namespace) -> None:
    """Put the password of the user named in the arguments into them as `password`, where one is named.

    A command with `server_alone` takes --server without --user, and no password then.

    To be called before an event loop runs: its handling of Ctrl+C would swallow the one at the prompt.

    Raises:
        Usage: the server's address is none, or there is nothing to ask on.
    """
    if getattr(arguments, "server_alone", False) and not hasattr(arguments, "user"):
        return
    if named_for_this_run(arguments) is not None:
        arguments.password = password_for(arguments.user, new=getattr(arguments, "new_password", False))


def server_url(text: str) -> str:
    """The server's address as given; without a scheme https is meant, http for this machine.

    Raises:
        Usage: it is no address.
    """
    url = text.removesuffix("/")
    if "://" not in text:
        url = f"http://{url}" if _THIS_MACHINE.fullmatch(url) else f"https://{url}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path or parts.query or parts.username or " " in url or not url.isprintable():
        raise Usage(_("{text!r} is no server address; give it like https://chat.example.org").format(text=text[:80]))
    return url


def unencrypted(url: str) -> str | None:
    """What is to be said where all that is sent there can be read on its way; not of this machine itself."""
    from tui_chat.client.tls import is_loopback

    parts = urlsplit(url)
    if parts.scheme != "http" or is_loopback(parts.hostname or ""):
        return None
    return _("{server} is not encrypted: passwords and messages can be read on the way; use https").format(server=url)


def warn_of_plain_http(url: str) -> None:
    """Say on standard error that what is sent there can be read on its way, unless it stays on this machine."""
    said = unencrypted(url)
    if said is not None:
        print(said, file=sys.stderr)


def named_for_this_run(arguments: argparse.Namespace) -> tuple[str, str] | None:
    """--server and --user, or None where neither is given. Raises Usage where only one is."""
    server, user = getattr(arguments, "server", None), getattr(arguments, "user", None)
    if server is None and user is None:
        return None
    if server is None or user is None:
        raise Usage(_("--server and --user go together"))
    return server_url(server), user


class NothingHere(OwnWords, NotConnected):
    """Neither the server nor what is kept of it on this machine can be read."""


class Unreachable(OwnWords, NotConnected):
    """The server cannot be reached: where it was looked for, and what may mend it."""


@contextmanager
def reaching(server: str) -> Iterator[None]:
    """Say of the server at this address, where it cannot be reached, which it is and what to do."""
    from tui_chat.client.problems import Untrusted
    from tui_chat.tui.refusals import translated

    try:
        yield
    except NotConnected as error:
        if isinstance(error, OwnWords):
            raise
        said = f"{server}: {translated(error).rstrip('.。')}"
        if not isinstance(error, Untrusted):  # that says itself what to do
            said = _("{said}; {todo}").format(
                said=said, todo=_("look whether it runs there, and whether the address is right")
            )
        raise Unreachable(said) from error


class CredentialFile:
    """One stored account, as the SDK keeps its tokens between runs."""

    def __init__(self, file: SecretFile):
        self._file = file

    def read(self) -> StoredCredentials | None:
        """The tokens; None where nothing is stored. Raises ConfigError where the file is damaged."""
        from msgspec import ValidationError

        from tui_chat.client.credentials import StoredCredentials
        from tui_chat.protocol.wire import from_plain

        content = self._file.read()
        try:
            return None if content is None else from_plain(content, StoredCredentials)
        except ValidationError as error:
            said = _("{path}: not an account ({error}); log in again with `tui-chat login`")
            raise ConfigError(said.format(path=self._file.path, error=error)) from error

    def write(self, credentials: StoredCredentials) -> None:
        """Store them in one step."""
        from tui_chat.protocol.wire import to_plain

        self._file.write(to_plain(credentials))

    def locked(self) -> AbstractContextManager[None]:
        """Keep every other process of this user from renewing the tokens meanwhile."""
        return self._file.locked()

    def remove(self) -> None:
        """Forget the account."""
        self._file.remove()

    @property
    def path(self) -> Path:
        """Where it lies, for people to know."""
        return self._file.path


def stored(arguments: argparse.Namespace) -> tuple[str, CredentialFile, StoredCredentials]:
    """The profile asked for (else the last used one), its store and its tokens.

    Raises:
        NotSignedIn: nothing is stored under that name.
    """
    profiles = Profiles(Paths.of_user())
    asked = getattr(arguments, "profile", None)
    profile = asked or profiles.last()
    store = CredentialFile(profiles.file(profile))
    credentials = store.read()
    if credentials is None:
        raise NotSignedIn(_not_stored(asked, profiles.names()))
    return profile, store, credentials


def _not_stored(asked: str | None, others: list[str]) -> str:
    if asked is None:
        said = _("no account is stored here; {todo}")
    elif others:
        said = _("no account is stored as {profile!r}, only as {others}; {todo}")
    else:
        said = _("no account is stored as {profile!r}; {todo}")
    todo = _("sign in with `tui-chat login --server URL --user NAME`, or try `tui-chat demo`")
    return said.format(profile=asked, others=", ".join(others), todo=todo)


def one_of_several(arguments: argparse.Namespace) -> bool:
    """Whether other accounts are stored here beside the one of this run, which somebody may have meant."""
    return named_for_this_run(arguments) is None and len(Profiles(Paths.of_user()).names()) > 1


def say_who_did_it(session: ChatSession, arguments: argparse.Namespace) -> None:
    """Say on standard error whose account was changed, where nobody said which of several was meant: the one that was
    opened last is another after a window on it. Programs (--json) know what they asked for."""
    if arguments.json or hasattr(arguments, "profile") or not one_of_several(arguments):
        return
    said = _("as {user} at {server} (the account used last; --profile NAME takes another)")
    print(said.format(user=session.user_id, server=session.credentials.server_url), file=sys.stderr)


async def act_with_session(arguments: argparse.Namespace) -> int:
    """Carry out the inner command's `action(session, arguments)` with such a session; the exit code."""
    async with session_for(arguments) as session:
        await arguments.action(session, arguments)
    return 0


@asynccontextmanager
async def session_for(arguments: argparse.Namespace, *, stream: bool = False) -> AsyncIterator[ChatSession]:
    """A session in step with the server, without a cache; one made for this run logs out at its end.

    `stream` stays connected; without it one catch-up is all that is done.
    """
    from tui_chat.client.session import ChatSession

    settings = use_language_of_settings()
    once = named_for_this_run(arguments)
    if once is None:
        _profile, store, credentials = stored(arguments)
        session = ChatSession.resume(credentials, secrets=store)
    else:
        url, user = once
        with reaching(url):
            session = await ChatSession.log_in(url, user, arguments.password, device_name=device_name(settings))
    with reaching(session.credentials.server_url):
        async with session:
            try:
                await session.load(stream=stream)
                yield session
            finally:
                if once is not None:
                    with suppress(Unauthorized):  # erasing an account has done it already
                        await session.log_out()


@asynccontextmanager
async def session_here(arguments: argparse.Namespace, failure: NotConnected) -> AsyncIterator[ChatSession]:
    """A session of what is on this machine of a stored account, where the server cannot be reached for `failure`.

    It is not in step with the server, and what waits for that goes on waiting.

    Raises:
        NotConnected: nothing is here.
        NothingHere: another tui-chat has it open, or it cannot be used.
    """
    from tui_chat.client.problems import AccountInUse, CacheUnusable, DiskIsFull
    from tui_chat.client.session import ChatSession
    from tui_chat.tui.refusals import translated

    if named_for_this_run(arguments) is not None:
        raise failure
    _profile, store, credentials = stored(arguments)
    directory = Paths.of_user().account_cache(credentials.server_url, credentials.user_id)
    if not directory.is_dir():
        raise failure
    keep = use_language_of_settings().history.keep
    try:
        session = ChatSession.resume(credentials, secrets=store, cache_directory=directory, keep_messages=keep)
    except (AccountInUse, CacheUnusable, DiskIsFull) as error:
        away = failure.__cause__ if isinstance(failure, Unreachable) else None
        reason = translated(away if isinstance(away, NotConnected) else failure)
        raise NothingHere(f"{reason} {translated(error)}") from error
    async with session:
        yield session
