"""`[history] keep` in the settings file, on its way to the cache."""

from pathlib import Path

import pytest

from tests.servers import LiveServer
from tui_chat.cache.account import AccountCache
from tui_chat.cache.store import HISTORY_KEEP
from tui_chat.cli import main, open_client
from tui_chat.client.session import ChatSession
from tui_chat.config import ConfigError, Paths, Settings, read_settings


def _write(text: str) -> Path:
    path = Paths.of_user().settings_file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("once", [True, False], ids=["for this run", "a stored account"])
def test_the_client_keeps_as_many_messages_as_the_setting_says(
    home: Path, server: LiveServer, monkeypatch: pytest.MonkeyPatch, once: bool
) -> None:
    _write("[history]\nkeep = 250\n")
    kept = []

    async def shown(session: ChatSession, settings: Settings) -> None:
        store = session._core.store
        assert isinstance(store, AccountCache)
        kept.append(store.history._keep)

    assert main(["register", "--server", server.url, "--user", "alice"]) == 0
    monkeypatch.setattr(open_client, "show", shown)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["--server", server.url, "--user", "alice"] if once else []) == 0
    assert kept == [250]


def test_what_it_is_without_a_word_in_the_file_and_what_it_cannot_be(home: Path) -> None:
    assert Settings().history.keep == HISTORY_KEEP == 5_000
    with pytest.raises(ConfigError, match="keep"):
        read_settings(_write("[history]\nkeep = 5\n"))
