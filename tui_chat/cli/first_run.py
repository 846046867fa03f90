"""`tui-chat` where nobody has an account yet: the demo, a server elsewhere, or one here."""

from typing import TYPE_CHECKING

from tui_chat.locale import _

from .own_server import OwnServer, own_server
from .terminal import drawn_encoding

if TYPE_CHECKING:
    from tui_chat.client.session import ChatSession
    from tui_chat.config import Settings
    from tui_chat.tui.screens.beginning import Account, NewServer, Then


def begin() -> int:
    """Ask what somebody wants to begin with, then do it."""
    import asyncio

    from tui_chat.config import Paths

    from .account import settings_for_screen

    with own_server(Paths.of_user().state / "server.log") as server:
        # An import before the loop runs, and not within: it takes longer than everything else here.
        from tui_chat.tui.screens.beginning import Then

        match asyncio.run(_ask(Beginnings(server), settings_for_screen())):
            case Then.DEMO:
                return _command(["demo"])
            case Then.OPEN:
                code = _command([])
            case None:
                return 0
    if server.ran:
        print(_("The server has stopped; your account and its data are kept."))
        print(_("To go on: `tui-chat serve` in another terminal, then `tui-chat` here."))
    return code


class Beginnings:
    """What the screen has done: each answers with one line where it did not work."""

    def __init__(self, server: OwnServer) -> None:
        self._server = server

    async def connect(self, account: "Account") -> str | None:
        """Sign in, or make the account; and store it."""
        from tui_chat.client.session import ChatSession
        from tui_chat.protocol.errors import ChatError
        from tui_chat.tui.refusals import refusal

        from .account import device_name, server_url, use_language_of_settings
        from .failures import Usage

        try:
            url = server_url(account.server)
            here = device_name(use_language_of_settings())
            if account.new:
                session = await ChatSession.register(
                    url, account.user_id, account.password, device_name=here, invite=account.invite
                )
            else:
                session = await ChatSession.log_in(url, account.user_id, account.password, device_name=here)
            await _keep(session)
        except ChatError as error:
            return refusal(error)
        except (Usage, OSError) as error:
            return str(error)
        return None

    async def serve(self, wanted: "NewServer") -> str | None:
        """Start a server that ends with this run, make its first account, and store it."""
        import asyncio

        from tui_chat.tui.screens.beginning import Account

        try:
            url = await asyncio.to_thread(self._server.start, sync_deletions=wanted.sync_deletions)
        except OSError as error:
            return str(error)
        return await self.connect(Account(server=url, user_id=wanted.user_id, password=wanted.password, new=True))


def fault(server: str) -> str | None:
    """Why that is no server's address; None where it is one."""
    from .account import server_url
    from .failures import Usage

    try:
        server_url(server)
    except Usage as error:
        return str(error)
    return None


def doubt(server: str) -> str | None:
    """What is to be said of an address before a password goes there."""
    from .account import server_url, unencrypted
    from .failures import Usage

    try:
        return unencrypted(server_url(server))
    except Usage:
        return None  # That is a fault, and told as one.


async def _keep(session: "ChatSession") -> None:
    from tui_chat.config import Paths, Profiles

    from .account import CredentialFile

    async with session:
        profiles = Profiles(Paths.of_user())
        CredentialFile(profiles.file(session.user_id)).write(session.credentials)
        profiles.remember(session.user_id)


async def _ask(beginnings: Beginnings, settings: "Settings") -> "Then | None":
    import asyncio
    import signal

    from tui_chat.tui.welcome import Welcome

    app = Welcome(
        connect=beginnings.connect,
        serve=beginnings.serve,
        fault=fault,
        doubt=doubt,
        settings=settings,
        encoding=drawn_encoding(),
    )
    for asked in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(asked, app.exit)
    chosen = await app.run_async(mouse=settings.screen.mouse)
    if app.crash is not None:
        raise app.crash
    return chosen


def _command(words: list[str]) -> int:
    from . import main

    return main(words)
