"""`tui-chat account`, `export` and what administrators do to users, on a command line."""

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Run, objects
from tests.servers import LiveServer


class TestAccount:
    """Nick, password, blocking, erasing."""

    def test_a_nick_is_given_cleaned_and_taken_away(self, accounts: Run) -> None:
        assert accounts("account", "nick", "Al\x1b[31mice") == (0, "you are shown as Al[31mice\n", "")
        assert objects(accounts("list", "--profile", "bob", "--json")[1])[0]["name"] == "Al[31mice"
        assert accounts("account", "nick") == (0, "you are shown as alice\n", "")

    def test_the_password_is_changed_and_other_devices_go(
        self, accounts: Run, server: LiveServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TUI_CHAT_NEW_PASSWORD", "battery staple")
        code, output, _ = accounts("account", "password")
        assert (code, output) == (0, "the password is changed; 1 other device is signed out\n")
        assert accounts("account", "password")[0] == 1, "the old one is no longer the password"
        assert accounts("login", "--server", server.url, "--user", "alice")[0] == 3
        monkeypatch.setenv("TUI_CHAT_PASSWORD", "battery staple")
        assert accounts("login", "--server", server.url, "--user", "alice")[0] == 0

    def test_without_a_terminal_the_password_must_be_given(
        self, accounts: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code, _, said = accounts("account", "password")
        assert code == 2
        assert "TUI_CHAT_NEW_PASSWORD" in said

    def test_who_guessed_too_often_is_told_how_long_to_wait(
        self, accounts: Run, server: LiveServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TUI_CHAT_PASSWORD", "not the password")
        command = ("login", "--server", server.url, "--user", "alice")
        said = ""
        while "too many attempts" not in said:
            code, _, said = accounts(*command)
        assert (code, said) == (1, "tui-chat: too many attempts: wait a little (try again in 15 seconds)\n")

    def test_blocking(self, accounts: Run) -> None:
        assert accounts("account", "block", "bob", "carol")[0] == 0
        assert {one["userID"] for one in objects(accounts("account", "blocks", "--json")[1])} == {"bob", "carol"}
        code, _, said = accounts("send", "--profile", "bob", "alice", "hello?")
        assert code == 1
        assert "does not take messages from you" in said
        assert accounts("account", "unblock", "bob")[0] == 0
        assert accounts("account", "blocks")[1].split()[-1] == "carol"
        assert accounts("send", "--profile", "bob", "alice", "hello again")[0] == 0
        assert accounts("account", "block", "nobody")[0] == 1

    def test_erasing_needs_to_be_meant(self, accounts: Run) -> None:
        code, _, said = accounts("account", "erase", "--profile", "bob")
        assert code == 2
        assert "--yes" in said
        assert accounts("list", "--profile", "bob")[0] == 0

    @pytest.mark.parametrize("for_this_run", [False, True])
    def test_erasing(self, accounts: Run, server: LiveServer, for_this_run: bool) -> None:
        which = ("--server", server.url, "--user", "bob") if for_this_run else ("--profile", "bob")
        code, output, said = accounts("account", "erase", *which, "--yes")
        assert (code, said) == (0, "")
        assert output.startswith("the account bob is erased\n")
        assert accounts("list", "--profile", "bob")[0] == 3
        code, _, said = accounts("send", "bob", "are you there?")
        assert code == 1
        assert "erased" in said
        assert "hello from bob" in accounts("read", "bob")[1]
        assert accounts("logout", "--profile", "bob")[0] == 0

    def test_the_only_administrator_stays(self, accounts: Run) -> None:
        code, _, said = accounts("account", "erase", "--yes")
        assert code == 1
        assert "administrator" in said


class TestExport:
    """To standard output and into a file."""

    def test_lines_that_a_terminal_does_not_obey(self, accounts: Run) -> None:
        accounts("send", "--profile", "bob", "alice", "schön \u4f60\u597d")
        code, output, said = accounts("export")
        assert code == 0
        assert "schön \u4f60\u597d" in output
        assert all(one.isprintable() for one in output.splitlines())
        assert said == "3 messages exported\n"
        lines = objects(output)
        assert (lines[0]["kind"], lines[0]["userID"]) == ("export", "alice")
        assert lines[-1] == {"kind": "end", "lines": len(lines) - 1}
        assert "schön \u4f60\u597d" in [one["message"]["text"] for one in lines if one["kind"] == "message"]

    def test_a_file_is_ones_own_and_is_not_replaced_unasked(self, accounts: Run, tmp_path: Path) -> None:
        file = tmp_path / "everything.jsonl"
        code, output, said = accounts("export", "--output", str(file))
        assert (code, output, said) == (0, "", "2 messages exported\n")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text().splitlines()[-1])["kind"] == "end"
        file.write_text("mine")
        code, _, said = accounts("export", "--output", str(file))
        assert (code, file.read_text()) == (2, "mine")
        assert "--force" in said
        assert accounts("export", "--output", str(file), "--force")[0] == 0
        assert file.read_text() != "mine"

    def test_a_full_disk_is_said_of_the_file_that_was_asked_for(
        self, accounts: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_file: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        file = tmp_path / "exports" / "everything.jsonl"
        file.parent.mkdir()
        monkeypatch.setattr(os, "fsync", full)
        assert accounts("export", "--output", str(file)) == (1, "", f"tui-chat: {file}: No space left on device\n")
        assert not list(file.parent.iterdir())

    def test_what_fails_leaves_no_file(self, accounts: Run, server: LiveServer, tmp_path: Path) -> None:
        file = tmp_path / "exports" / "everything.jsonl"
        file.parent.mkdir()
        server.stop()
        assert accounts("export", "--output", str(file))[0] == 3
        assert list(file.parent.iterdir()) == []


class TestAdministrators:
    """Users and what they wrote."""

    def test_users_are_listed(self, accounts: Run) -> None:
        listed = objects(accounts("admin", "users", "--json")[1])
        assert [(one["userID"], one["administrator"]) for one in listed] == [
            ("alice", True),
            ("bob", False),
            ("carol", False),
        ]
        lines = accounts("admin", "users")[1].splitlines()
        assert lines[0].split()[0] == "alice"
        assert lines[0].split()[-3:] == ["2", "devices", "administrator"]
        assert [line.split()[0] for line in accounts("admin", "users", "c")[1].splitlines()] == ["carol"]

    def test_one_is_removed(self, accounts: Run) -> None:
        assert accounts("admin", "remove-user", "bob")[0] == 2
        assert accounts("admin", "remove-user", "bob", "--yes") == (0, "the account bob is erased\n", "")
        assert accounts("list", "--profile", "bob")[0] == 3
        assert accounts("admin", "remove-user", "bob", "--yes")[0] == 1

    def test_a_message_is_removed(self, accounts: Run, server: LiveServer) -> None:
        accounts("send", "--profile", "bob", "carol", "something foul")
        code, output, _ = accounts("admin", "remove-message", "C2Cbob:carol", "1")
        assert (code, output) == (0, "message 1 of C2Cbob:carol is removed\n")
        said = accounts("read", "--profile", "carol", "bob")[1]
        assert "foul" not in said
        assert "(taken back by alice)" in said, "not by who wrote it"
        assert accounts("admin", "remove-message", "C2Cbob:carol", "7")[0] == 1
        assert accounts("register", "--server", server.url, "--user", "dora", "--profile", "dora")[0] == 0
        accounts("login", "--server", server.url, "--user", "alice")
        assert "as C2Cdora:NAME" in accounts("admin", "remove-message", "C2Cdora", "1")[2]

    def test_what_was_done_is_listed(self, accounts: Run) -> None:
        accounts("admin", "promote", "bob")
        assert accounts("admin", "set", "--profile", "bob", "undo-seconds", "60")[0] == 0
        assert accounts("admin", "demote", "bob")[1] == "bob is no administrator\n"
        assert accounts("admin", "set", "--profile", "bob", "undo-seconds", "0")[0] == 1
        entries = objects(accounts("admin", "audit", "--json")[1])
        assert [(one["administrator"], one["what"]) for one in entries] == [
            ("alice", "user.demoted"),
            ("bob", "settings.changed"),
            ("alice", "user.promoted"),
        ]
        newest = accounts("admin", "audit", "--count", "1")[1]
        assert newest.split()[-2:] == ["user.demoted", "bob"]
        for none in ("0", "-3", "all"):
            assert accounts("admin", "audit", "--count", none)[0] == 2
        assert "undoSeconds 60" in accounts("admin", "audit")[1]
        assert accounts("admin", "set", "sync-conversation-deletion", "on")[0] == 0
        assert "syncConversationDeletion on" in accounts("admin", "audit")[1]
        assert accounts("admin", "demote", "alice")[0] == 1
