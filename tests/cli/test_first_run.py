"""What the first screen asks for is done: the account is there and stored, the server runs and ends with its window."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.buses import free_ports
from tests.cli.conftest import Run, objects
from tests.servers import LiveServer
from tui_chat.cli import first_run
from tui_chat.cli.first_run import Beginnings, doubt, fault
from tui_chat.cli.own_server import DidNotStart, OwnServer, own_server
from tui_chat.client.session import ChatSession
from tui_chat.tui.screens.beginning import Account, NewServer, Then


@pytest.fixture
def beginnings(home: Path) -> Iterator[Beginnings]:
    """With a server that would end with the test."""
    with own_server(home / "server.log") as server:
        yield Beginnings(server)


async def test_an_account_is_made_stored_and_signed_in_to(beginnings: Beginnings, run: Run, server: LiveServer) -> None:
    new = Account(server=server.url, user_id="alice", password="correct horse", new=True)
    assert await beginnings.connect(new) is None
    wrong = Account(server=server.url, user_id="alice", password="wrong")
    assert "password" in str(await beginnings.connect(wrong))
    again = Account(server=f"{server.url}/", user_id="alice", password="correct horse")
    assert await beginnings.connect(again) is None


async def test_what_cannot_be_done_is_one_line(beginnings: Beginnings) -> None:
    nowhere = Account(server="http://127.0.0.1:1", user_id="alice", password="x")
    for account in (nowhere, Account(server="https://a.example/path", user_id="alice", password="x")):
        said = await beginnings.connect(account)
        assert said is not None
        assert "\n" not in said
    assert "is no server address" in str(said)


@pytest.mark.parametrize(
    ("address", "doubted"),
    [("http://chat.example.org", True), ("chat.example.org", False), ("http://127.0.0.1:8790", False), ("a b", False)],
)
def test_an_address_without_encryption_is_doubted(address: str, doubted: bool) -> None:
    assert (doubt(address) is not None) is doubted
    assert (fault(address) is not None) is (" " in address)


@pytest.mark.parametrize("sync", [True, False])
async def test_a_server_is_started_with_its_first_account_and_ends(
    home: Path, monkeypatch: pytest.MonkeyPatch, sync: bool
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("TUI_CHAT_PORT", str(port))
    with own_server(home / "server.log") as server:
        wanted = NewServer(user_id="alice", password="correct horse", sync_deletions=sync)
        assert await Beginnings(server).serve(wanted) is None
        url = f"http://127.0.0.1:{port}"
        async with await ChatSession.log_in(url, "alice", "correct horse", device_name="x") as session:
            await session.load()
            assert session.administrator
            assert session.server.sync_conversation_deletion is sync
        other = OwnServer(home / "other.log")
        with pytest.raises(DidNotStart, match=r"\S"):
            other.start(sync_deletions=True)
        assert not other.ran
    assert not (home / "server.log").read_text("utf-8").count("Traceback")
    with pytest.raises(OSError, match=r"refused|111"):
        socket.create_connection(("127.0.0.1", port), 1)


@pytest.mark.parametrize(("chosen", "commands"), [(Then.DEMO, [["demo"]]), (Then.OPEN, [[]]), (None, [])])
def test_what_was_chosen_is_what_comes_next(
    home: Path, monkeypatch: pytest.MonkeyPatch, chosen: Then | None, commands: list[list[str]]
) -> None:
    async def ask(*_: object) -> Then | None:
        return chosen

    def command(words: list[str]) -> int:
        done.append(words)
        return 3

    done: list[list[str]] = []
    monkeypatch.setattr(first_run, "_ask", ask)
    monkeypatch.setattr(first_run, "_command", command)
    assert first_run.begin() == (3 if commands else 0)
    assert done == commands


@pytest.mark.parametrize("words", [("admin", "show"), ("groups", "list"), ("account", "blocks")])
def test_options_may_stand_between_a_command_and_its_own(accounts: Run, words: tuple[str, str]) -> None:
    outer, inner = words
    for profile, more in (("alice", ()), ("bob", ("--json",))):
        there = accounts(outer, inner, "--profile", profile, *more)
        assert accounts(outer, "--profile", profile, *more, inner) == there, profile
        assert accounts(outer, "--profile", "nobody", *more, inner, "--profile", profile) == there, "the last counts"
    assert accounts(outer, "--profile", "nobody", inner)[0] == 3


def test_json_may_stand_before_the_command(accounts: Run, server: LiveServer) -> None:
    before, after = accounts("--json", "list"), accounts("list", "--json")
    assert before[0] == 0
    assert {one["conversationID"] for one in objects(before[1])} >= {"C2Cbob", "C2Ccarol"}
    assert before == after
    code, _, err = accounts("--json")
    assert (code, "tui-chat --json list" in err) == (2, True)
