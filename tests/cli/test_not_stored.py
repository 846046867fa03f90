"""An account that cannot be stored on this machine: what is said, and what the server is left with."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run, objects
from tests.servers import LiveServer


@pytest.fixture
def no_place(accounts: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory for accounts that takes none."""
    place = home / "elsewhere"
    (place / "tui-chat").mkdir(parents=True)
    (place / "tui-chat" / "accounts").write_text("in the way")
    monkeypatch.setenv("XDG_DATA_HOME", str(place))
    return place


def test_a_device_that_cannot_be_used_is_not_left(
    accounts: Run, server: LiveServer, no_place: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    code, output, errors = accounts("login", "--server", server.url, "--user", "alice")
    assert (code, output) == (1, "")
    assert errors.startswith(f"tui-chat: {no_place}/tui-chat/accounts: ")
    assert len(errors.splitlines()) == 1
    code, output, errors = accounts("register", "--server", server.url, "--user", "dave")
    assert (code, output) == (1, "")
    assert "the account dave is made, and `tui-chat login` signs in once this is mended" in errors
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    assert len(accounts("devices", "--json")[1].splitlines()) == 2, "those of the two log-ins before"
    assert accounts("login", "--server", server.url, "--user", "dave")[0] == 0
    assert len(objects(accounts("devices", "--json")[1])) == 1


def test_a_profile_name_that_is_none_makes_no_device(accounts: Run, server: LiveServer) -> None:
    code, _, errors = accounts("login", "--server", server.url, "--user", "alice", "--profile", "a/b")
    assert (code, "is no profile name" in errors) == (2, True)
    assert len(accounts("devices", "--json")[1].splitlines()) == 2


def test_a_log_in_holds_where_only_its_name_as_the_last_one_cannot_be_written(
    accounts: Run, server: LiveServer, home: Path
) -> None:
    last = home / "state" / "tui-chat" / "last-profile"
    last.unlink()
    last.mkdir()  # no file goes there
    code, output, errors = accounts("login", "--server", server.url, "--user", "bob", "--profile", "work")
    assert (code, errors) == (0, "")
    assert "stored as profile work" in output
    assert accounts("devices", "--profile", "work")[0] == 0
