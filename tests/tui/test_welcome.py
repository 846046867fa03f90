"""The first screen of somebody without an account: each way in, wrong answers, small windows, another language."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.apps import until
from tui_chat.config import ScreenSettings, Settings
from tui_chat.locale import use_language
from tui_chat.tui.render.cells import width
from tui_chat.tui.safe import own
from tui_chat.tui.screens.beginning import Account, NewServer, Then
from tui_chat.tui.welcome import Welcome


class World:
    """What the screen has done: everything is only noted, and refused where a test says why."""

    def __init__(self) -> None:
        self.asked: list[Account | NewServer] = []
        self.problems: list[str] = []
        self.doubt: str | None = None

    async def connect(self, account: Account) -> str | None:
        self.asked.append(account)
        return self.problems.pop(0) if self.problems else None

    def fault(self, server: str) -> str | None:
        return "that is no address" if " " in server else None

    async def serve(self, server: NewServer) -> str | None:
        self.asked.append(server)
        return self.problems.pop(0) if self.problems else None


@asynccontextmanager
async def welcome(
    world: World, *, size: tuple[int, int] = (80, 24), settings: Settings | None = None
) -> AsyncIterator[tuple[Welcome, Pilot[Then]]]:
    """The screen, ready."""
    app = Welcome(
        connect=world.connect,
        serve=world.serve,
        fault=world.fault,
        doubt=lambda _server: world.doubt,
        settings=settings,
    )
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot


def text_of(app: Welcome) -> str:
    """Every line of the screen."""
    return "\n".join("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())


def write(app: Welcome, text: str) -> None:
    """Type it in one burst; `\\n` is Enter."""
    for character in text:
        key = {"\n": "enter", " ": "space"}.get(character, character)
        app.post_message(events.Key(key, "\r" if character == "\n" else character))


@pytest.mark.parametrize("key", ["1", "enter"])
async def test_the_demo_is_one_key_away(key: str) -> None:
    async with welcome(World()) as (app, pilot):
        for words in ("There is no account on this machine yet.", "1  Try it here", "2  Connect", "3  Start a server"):
            assert words in text_of(app)
        await pilot.press(key)
    assert app.return_value is Then.DEMO


@pytest.mark.parametrize(
    "keys", [("escape",), ("q",), ("ctrl+q",), ("ctrl+c",), ("2", "ctrl+q"), ("2", "ctrl+c"), ("3", "escape", "escape")]
)
async def test_one_can_leave_from_everywhere(keys: tuple[str, ...]) -> None:
    world = World()
    async with welcome(world) as (app, pilot):
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
    assert app.return_value is None
    assert world.asked == []


async def test_signing_in() -> None:
    world = World()
    async with welcome(world) as (app, pilot):
        await pilot.press("down", "enter")
        await until(lambda: "Address of the server" in text_of(app))
        assert "Invitation" not in text_of(app), "who signs in needs none"
        write(app, "chat.example.org\nalice\n\npass word\n")
        await until(lambda: app.return_value is Then.OPEN)
    assert world.asked == [Account(server="chat.example.org", user_id="alice", password="pass word")]


async def test_making_an_account_with_an_invitation() -> None:
    world = World()
    async with welcome(world) as (app, pilot):
        await pilot.press("2")
        write(app, "chat.example.org\nalice\n")
        await until(lambda: app.focused is not None and app.focused.id == "new")
        await pilot.press("space")
        await until(lambda: "Invitation" in text_of(app))
        write(app, "\none\ntwo\n")
        await until(lambda: "The two passwords are not the same." in text_of(app))
        assert world.asked == []
        write(app, "one\n")
        await until(lambda: app.focused is not None and app.focused.id == "invite")
        write(app, " CODE \n")
        await until(lambda: app.return_value is Then.OPEN)
    new = Account(server="chat.example.org", user_id="alice", password="one", new=True, invite="CODE")
    assert world.asked == [new]


async def test_a_refusal_is_said_and_everything_stays() -> None:
    world = World()
    world.problems = ["the server cannot be reached \x1b[31m"]
    async with welcome(world) as (app, pilot):
        await pilot.press("2")
        write(app, "chat.example.org\nalice\n\nsecret\n")
        await until(lambda: "the server cannot be reached" in text_of(app))
        assert "\x1b" not in text_of(app)
        assert "secret" not in text_of(app)
        assert app.screen.query_one("#server", Input).value == "chat.example.org"
        write(app, "\n")
        await until(lambda: app.return_value is Then.OPEN)
    assert len(world.asked) == 2


@pytest.mark.parametrize(
    ("typed", "said", "where"),
    [
        ("\n", "Where is the server?", "server"),
        ("chat example\n", "that is no address", "server"),
        ("chat.example.org\n\n", "A userID is missing", "user"),
        ("chat.example.org\nal ice\n", "a userID is 1 to", "user"),
        ("chat.example.org\nalice\n\n\n", "A password is missing", "password"),
    ],
)
async def test_what_is_missing_is_asked_for_where_it_goes(typed: str, said: str, where: str) -> None:
    world = World()
    async with welcome(world) as (app, pilot):
        await pilot.press("2")
        write(app, typed)
        await until(lambda: said in text_of(app))
        assert app.focused is not None
        assert app.focused.id == where
    assert world.asked == []


async def test_a_doubt_about_the_address_is_told_before_the_password_goes_there() -> None:
    world = World()
    world.doubt = "http://chat.example.org is not encrypted"
    async with welcome(world) as (app, pilot):
        await pilot.press("2")
        write(app, "http://chat.example.org\nalice\n\nsecret\n")
        await until(lambda: "is not encrypted; Enter goes on all the same" in text_of(app))
        assert world.asked == []
        write(app, "\n")
        await until(lambda: app.return_value is Then.OPEN)


@pytest.mark.parametrize("sync", [True, False])
async def test_starting_a_server_asks_whether_to_sync_and_says_how_long_it_runs(sync: bool) -> None:
    world = World()
    async with welcome(world) as (app, pilot):
        await pilot.press("3")
        await until(lambda: "[x] Sync deletions" in text_of(app), "yes is preselected")
        assert "as long as this window is open" in text_of(app)
        assert "tui-chat serve" in text_of(app)
        write(app, "alice\none\none\n")
        await until(lambda: app.focused is not None and app.focused.id == "sync")
        if not sync:
            await pilot.press("space")
        await pilot.press("enter")
        await until(lambda: app.return_value is Then.OPEN)
    assert world.asked == [NewServer(user_id="alice", password="one", sync_deletions=sync)]


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (80, 24)])
async def test_small_windows_show_the_field_that_is_typed_into(size: tuple[int, int]) -> None:
    async with welcome(World(), size=size) as (app, pilot):
        await pilot.press("3")
        write(app, "alice\none\none\n")
        await until(lambda: app.focused is not None and app.focused.id == "sync")
        await until(lambda: "[x] Sync" in text_of(app))
        await pilot.resize_terminal(30, 8)
        await until(lambda: "[x] Sync" in text_of(app))


@pytest.fixture
def _chinese() -> Iterator[None]:
    use_language("zh_CN")
    yield
    use_language("en")


@pytest.mark.usefixtures("_chinese")
async def test_in_chinese_every_line_is_as_wide_as_the_terminal() -> None:
    async with welcome(World()) as (app, pilot):
        assert "欢迎" in text_of(app)
        for keys in ((), ("2",), ("tab", "tab", "space"), ("escape",), ("3",)):
            await pilot.press(*keys)
            await pilot.pause()
            assert {width(own(line)) for line in text_of(app).splitlines()} == {80}, keys


async def test_ascii_symbols_and_theme_of_the_settings() -> None:
    settings = Settings(screen=ScreenSettings(symbols="ascii", theme="high-contrast"))
    async with welcome(World(), settings=settings) as (app, _pilot):
        assert app.theme == "high-contrast"
        lines = app.screen._compositor.render_strips()
        filtered = [strip.apply_filter(one, app.screen.background_colors[1]) for strip in lines for one in app._filters]
        shown = "\n".join("".join(segment.text for segment in strip) for strip in filtered)
        assert "Welcome to tui-chat" in shown
        assert shown.isascii()
