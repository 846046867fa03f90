"""A second window on an account that has one already."""

import argparse
import asyncio
from pathlib import Path

import pytest

from tests.servers import LiveServer
from tui_chat.cli import main, open_client
from tui_chat.cli.account import stored
from tui_chat.client.session import ChatSession
from tui_chat.config import Paths, Settings


def test_whoever_opens_an_account_twice_is_told_how_to_have_it_in_two_windows(
    home: Path, server: LiveServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def shown(session: ChatSession, settings: Settings) -> None:
        await session.load()

    monkeypatch.setattr(open_client, "show", shown)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["register", "--server", server.url, "--user", "alice"]) == 0
    capsys.readouterr()

    async def meanwhile() -> int:
        _, store, credentials = stored(argparse.Namespace())
        directory = Paths.of_user().account_cache(credentials.server_url, credentials.user_id)
        async with ChatSession.resume(credentials, secrets=store, cache_directory=directory):
            return await asyncio.to_thread(main, [])

    assert asyncio.run(meanwhile()) == 1
    line = capsys.readouterr().err
    assert "already open in another tui-chat" in line
    advice = line.split("`")[1].split()
    assert advice[0] == "tui-chat"
    assert main(advice[1:]) == 0, "and what it advises opens one"
