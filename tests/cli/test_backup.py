"""`admin backup` and `admin restore` at a command line."""

import json
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.servers import LiveServer
from tui_chat.server.engines import sqlite_files
from tui_chat.server.options import DATABASE

from .conftest import Run


def test_the_server_makes_one_when_an_administrator_asks(accounts: Run, server: LiveServer) -> None:
    code, output, _ = accounts("admin", "backup", "--json")
    assert code == 0
    assert (server.options.data / "backups" / json.loads(output)["file"]).is_file()
    code, _, error = accounts("admin", "backup", "--profile", "bob")
    assert code == 1
    assert "administrator" in error


def test_into_a_file_while_the_server_runs_and_back_while_it_does_not(
    accounts: Run, server: LiveServer, tmp_path: Path
) -> None:
    data, file = str(server.options.data), tmp_path / "copy.sqlite"
    code, output, _ = accounts("admin", "backup", str(file), "--data", data)
    assert code == 0
    assert str(file) in output
    assert "there already" in accounts("admin", "backup", str(file), "--data", data)[2]
    code, _, error = accounts("admin", "restore", str(file), "--data", data)
    assert code == 1
    assert "stop the server first" in error
    assert accounts("register", "--server", server.url, "--user", "latecomer")[0] == 0
    server.stop()
    code, output, _ = accounts("admin", "restore", str(file), "--data", data)
    assert code == 0
    assert f"{DATABASE}.before-" in output
    assert "accounts erased (0)" in output
    assert "not taken over: " in output
    assert "and needs an invitation" in output
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / DATABASE).write_bytes(b"rubbish" * 1000)
    code, output, _ = accounts("admin", "restore", str(file), "--data", str(damaged))
    assert code == 0
    assert "what was ended since the backup is back" in output


def test_sigterm_leaves_nothing_half_written(
    accounts: Run, server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "backups"
    unfinished: list[Path] = []

    def told_to_end(_connection: sqlite3.Connection, _name: str) -> None:
        unfinished.extend(directory.iterdir())
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(sqlite_files, "check", told_to_end)
    before = signal.getsignal(signal.SIGTERM)
    code, output, _ = accounts("admin", "backup", str(directory / "copy"), "--data", str(server.options.data))
    assert (code, output) == (128 + signal.SIGTERM, "")
    assert unfinished
    assert not list(directory.iterdir())
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_stopped_servers_data_can_be_copied_too(accounts: Run, server: LiveServer, tmp_path: Path) -> None:
    server.stop()
    assert accounts("admin", "backup", str(tmp_path / "copy"), "--data", str(server.options.data))[0] == 0


def test_what_is_not_there_or_no_backup_is_one_line(run: Run, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    (tmp_path / "rubbish").write_text("rubbish")
    for words in (
        ("backup", str(tmp_path / "copy"), "--data", str(nothing)),
        ("restore", str(nothing), "--data", str(tmp_path / "d")),
        ("restore", str(tmp_path / "rubbish"), "--data", str(tmp_path / "d")),
        ("backup", "/nowhere/at/all/copy", "--data", str(tmp_path)),
    ):
        code, output, error = run("admin", *words)
        assert (code, output) == (1, "")
        assert error.count("\n") == 1
        assert "Traceback" not in error
    shutil.rmtree(tmp_path / "d")
