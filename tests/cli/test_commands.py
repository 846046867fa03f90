"""The plain commands against a real server, as a script or a screen reader's user gives them."""

import io
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, objects
from tests.servers import LiveServer
from tui_chat.protocol.errors import StorageFull


def test_list_shows_every_conversation_with_its_id(accounts: Run) -> None:
    code, output, _ = accounts("list")
    assert code == 0
    assert [line.split()[-1] for line in output.splitlines()] == ["C2Ccarol", "C2Cbob"]


def test_json_has_the_protocols_names(accounts: Run) -> None:
    code, output, _ = accounts("list", "--json")
    assert code == 0
    newest = objects(output)[0]
    assert newest["conversationID"] == "C2Ccarol"
    assert newest["unreadCount"] == 1
    assert newest["lastMessage"]["text"] == "hello from carol"


@pytest.mark.parametrize(("encoding", "said"), [("utf-8", "小林 👍"), ("ascii", r"\u5c0f\u6797 \ud83d\udc4d")])
def test_json_is_read_by_people_too(accounts: Run, monkeypatch: pytest.MonkeyPatch, encoding: str, said: str) -> None:
    """In what the terminal's encoding has; a program reads the same of either."""
    assert accounts("account", "nick", "小林 👍", "--profile", "bob")[0] == 0
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    accounts("list", "--match", "C2Cbob", "--json")
    out.seek(0)
    line = out.read()
    assert f'"name": "{said}"' in line
    assert objects(line)[0]["name"] == "小林 👍"


def test_read_prints_history_and_moves_no_read_mark(accounts: Run) -> None:
    code, output, _ = accounts("read", "bob")
    assert code == 0
    assert "hello from bob" in output
    assert objects(accounts("list", "--json")[1])[1]["unreadCount"] == 1


def test_delete_with_history_then_undo(accounts: Run) -> None:
    code, output, _ = accounts("delete", "bob", "carol", "--yes")
    assert code == 0
    assert output.startswith("2 deleted, with their history")
    assert accounts("list")[1] == ""
    code, output, _ = accounts("undo")
    assert code == 0
    assert "2 brought back" in output
    assert "hello from bob" in accounts("read", "bob")[1]


def test_an_undo_for_programs_has_the_protocols_names(accounts: Run) -> None:
    deleted = objects(accounts("delete", "bob", "--yes", "--json")[1])
    code, output, _ = accounts("undo", "--json")
    assert code == 0
    assert objects(output) == [{"batchID": deleted[0]["batchID"], "conversationIDList": ["C2Cbob"]}]
    code, output, errors = accounts("undo", "--json")
    assert (code, output) == (1, "")
    assert errors == "tui-chat: there is nothing to undo\n"


def test_what_the_server_cannot_do_now_is_said_in_its_words(
    accounts: Run, server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = objects(accounts("delete", "bob", "--yes", "--json")[1])[0]["batchID"]

    async def full(*_: object, **__: object) -> None:
        raise StorageFull

    monkeypatch.setattr(server.running.engine, "write", full)
    for words in (("send", "carol", "hello"), ("delete", "carol", "--yes"), ("undo", batch)):
        assert accounts(*words) == (1, "", "tui-chat: The server's disk is full; nothing was changed.\n"), words


def test_keep_history_keeps_it(accounts: Run) -> None:
    assert accounts("delete", "bob", "--yes", "--keep-history")[0] == 0
    assert accounts("send", "--profile", "bob", "alice", "again")[0] == 0
    listed = {item["conversationID"]: item for item in objects(accounts("list", "--json")[1])}
    assert listed["C2Cbob"]["messageCount"] == 2


@pytest.mark.parametrize(
    ("options", "one", "two"),
    [((), "with its", "with their"), (("--keep-history",), "kept its", "kept their")],
)
def test_one_conversation_is_spoken_of_as_one(accounts: Run, options: tuple[str, ...], one: str, two: str) -> None:
    said = accounts("delete", "bob", "--yes", *options)[1]
    assert said.startswith(f"1 deleted, {one} history")
    assert said.endswith("`tui-chat undo` brings it back\n")
    assert accounts("undo")[0] == 0
    said = accounts("delete", "bob", "carol", "--yes", *options)[1]
    assert said.startswith(f"2 deleted, {two} history")
    assert said.endswith("`tui-chat undo` brings them back\n")


def test_a_new_message_after_clearing_comes_back_alone(accounts: Run) -> None:
    assert accounts("delete", "bob", "--yes")[0] == 0
    assert accounts("send", "--profile", "bob", "alice", "again")[0] == 0
    listed = {item["conversationID"]: item for item in objects(accounts("list", "--json")[1])}
    assert listed["C2Cbob"]["messageCount"] == 1
    assert "hello from bob" not in accounts("read", "bob")[1]


def test_what_fails_is_named_and_the_rest_goes(accounts: Run) -> None:
    code, output, _ = accounts("delete", "bob", "C2Cstranger", "--yes")
    assert code == 1
    assert "1 deleted" in output
    assert "C2Cstranger: You have no such conversation" in output


@pytest.mark.parametrize("words", [("read", "stranger"), ("search", "hello", "--in", "stranger")])
def test_a_name_that_only_the_server_can_look_for_is_named_where_there_is_none(
    accounts: Run, words: tuple[str, ...]
) -> None:
    code, _output, error = accounts(*words)
    assert code == 1
    assert error == "tui-chat: no conversation is called 'stranger'; `tui-chat list` shows them all\n"


def test_nothing_deleted_offers_no_undo(accounts: Run) -> None:
    code, output, _ = accounts("delete", "C2Cstranger", "--yes")
    assert code == 1
    assert "undo" not in output


def test_a_query_says_what_to_list_and_what_to_delete(accounts: Run) -> None:
    code, output, _ = accounts("list", "--match", "bob | messages:>9")
    assert code == 0
    assert [line.split()[-1] for line in output.splitlines()] == ["C2Cbob"]
    code, output, _ = accounts("delete", "--match", "type:c2c -bob", "--dry-run")
    assert code == 0
    assert output.split()[0] == "C2Ccarol"
    assert accounts("delete", "--match", "type:c2c -bob", "--yes")[0] == 0
    assert [line.split()[-1] for line in accounts("list")[1].splitlines()] == ["C2Cbob"]
    assert accounts("delete", "--match", "zzz", "--yes") == (0, "no conversation matches; nothing was deleted\n", "")


@pytest.mark.parametrize("words", [["--match", ""], ["--match", "older:soon"], [], ["bob", "--match", "carol"]])
def test_a_query_that_says_nothing_or_makes_no_sense_deletes_nothing(accounts: Run, words: list[str]) -> None:
    code, _, said = accounts("delete", *words, "--yes")
    assert code == 2
    assert said
    assert len(accounts("list")[1].splitlines()) == 2


def test_a_dry_run_deletes_nothing(accounts: Run) -> None:
    code, output, _ = accounts("delete", "bob", "--dry-run", "--json")
    assert code == 0
    assert objects(output)[0]["conversationID"] == "C2Cbob"
    assert len(accounts("list")[1].splitlines()) == 2


def test_without_a_terminal_deleting_needs_yes(accounts: Run) -> None:
    code, _, error = accounts("delete", "bob")
    assert code == 2
    assert "--yes" in error
    assert len(accounts("list")[1].splitlines()) == 2


def test_the_log_tells_when_where_and_how_many(accounts: Run) -> None:
    accounts("delete", "bob", "carol", "--yes", "--json")
    entry = objects(accounts("log", "--json")[1])[0]
    assert entry["count"] == 2
    assert entry["clearHistoryMessage"] is True
    assert sorted(entry["conversationIDList"]) == ["C2Cbob", "C2Ccarol"]
    assert accounts("undo", entry["batchID"])[0] == 0
    assert accounts("undo")[0] == 1


@pytest.mark.parametrize(("seconds", "said"), [("600", "10 minutes"), ("90", "90 seconds"), ("5", "5 seconds")])
def test_how_long_an_undo_is_possible_is_said_as_it_is(accounts: Run, seconds: str, said: str) -> None:
    assert accounts("admin", "set", "undo-seconds", seconds)[0] == 0
    assert f"for {said} `tui-chat undo`" in accounts("delete", "bob", "--yes")[1]


def test_the_administrator_switches_the_sync_of_deletions(accounts: Run) -> None:
    assert "sync-conversation-deletion  off" in accounts("admin", "show")[1]
    code, output, _ = accounts("admin", "set", "sync-conversation-deletion", "on")
    assert code == 0
    assert "sync-conversation-deletion  on" in output
    code, _, error = accounts("admin", "set", "sync-conversation-deletion", "off", "--profile", "bob")
    assert code == 1
    assert "administrator" in error


def test_the_line_that_an_invitation_comes_with_is_what_the_invited_types(accounts: Run, server: LiveServer) -> None:
    assert accounts("admin", "set", "registration", "invite")[0] == 0
    line = accounts("admin", "invite")[1].splitlines()[-1]
    assert f"--server {server.url} " in line
    words = line.partition("tui-chat ")[2].replace("NAME", "dora").split()
    assert accounts(*words)[0] == 0


@pytest.mark.parametrize(
    "words", [("sync-conversation-deletion", "maybe"), ("undo-seconds", "-1"), ("registration", "never")]
)
def test_a_setting_of_the_wrong_kind_is_usage(accounts: Run, words: tuple[str, str]) -> None:
    code, _, error = accounts("admin", "set", *words)
    assert code == 2
    assert words[0] in error


def test_an_account_for_one_run_leaves_no_device_behind(accounts: Run, server: LiveServer) -> None:
    before = len(accounts("devices")[1].splitlines())
    assert accounts("list", "--server", server.url, "--user", "alice")[0] == 0
    assert len(accounts("devices")[1].splitlines()) == before


def test_accounts_come_and_go_as_json(accounts: Run, server: LiveServer) -> None:
    code, out, _ = accounts("register", "--server", server.url, "--user", "dora", "--device-name", "desk", "--json")
    made = objects(out)[0]
    assert (code, made["userID"], made["deviceName"], made["profile"]) == (0, "dora", "desk", "dora")
    assert accounts("devices", "--profile", "dora", "--json")[1].count(made["deviceID"]) == 1
    again = objects(accounts("--json", "login", "--server", server.url, "--user", "dora", "--profile", "other")[1])[0]
    assert (again["profile"], again["deviceID"] == made["deviceID"]) == ("other", False)
    revoked = objects(accounts("devices", "--profile", "dora", "--revoke", again["deviceID"], "--json")[1])
    assert revoked == [{"deviceID": again["deviceID"], "revoked": True}]
    gone = objects(accounts("logout", "--profile", "dora", "--json")[1])
    assert gone == [{"profile": "dora", "userID": "dora", "deviceID": made["deviceID"], "signedOut": True}]
    revoked_before = objects(accounts("logout", "--profile", "other", "--json")[1])[0]
    assert (revoked_before["signedOut"], revoked_before["failure"]["code"]) == (False, "unauthorized")


def test_logging_out_forgets_the_account(accounts: Run) -> None:
    assert accounts("logout", "--profile", "main")[0] == 0
    code, _, error = accounts("list", "--profile", "main")
    assert code == 3
    assert "no account is stored as 'main', only as alice, bob, carol; sign in with `tui-chat login" in error


def test_flags_of_conversations(accounts: Run) -> None:
    def row(name: str) -> dict[str, Any]:
        return next(one for one in objects(accounts("list", "--json")[1]) if one["conversationID"] == name)

    assert row("C2Cbob")["unreadCount"] == 1
    assert accounts("flag", "--read", "bob")[1] == "C2Cbob: read\n"
    assert row("C2Cbob")["unreadCount"] == 0
    assert accounts("flag", "bob", "carol", "--pin")[0] == 0
    assert (row("C2Cbob")["pinned"], row("C2Ccarol")["pinned"]) == (True, True)
    assert objects(accounts("flag", "--match", "pinned:", "--unpin", "--json")[1])[0]["pinned"] is False
    for option, field, value in (
        ("--unread", "markedUnread", True),
        ("--read", "markedUnread", False),
        ("--mute", "muted", True),
        ("--unmute", "muted", False),
    ):
        assert accounts("flag", option, "bob")[0] == 0
        assert row("C2Cbob")[field] is value
    code, out, _ = accounts("flag", "--pin", "bob", "nobody")
    assert code == 1
    assert out.splitlines() == ["C2Cbob: pin", "C2Cnobody: You have no such conversation."]
    for words in (("bob",), ("--pin",), ("--pin", "--mute", "bob"), ("--pin", "bob", "--match", "x")):
        assert accounts("flag", *words)[0] == 2


def test_after_logging_out_another_stored_account_is_taken(accounts: Run) -> None:
    assert accounts("logout")[0] == 0  # alice's, stored last
    code, output, _ = accounts("devices", "--json")
    assert code == 0
    assert output
    for profile in ("alice", "bob", "carol"):
        assert accounts("logout", "--profile", profile)[0] == 0
    code, _, error = accounts("list")
    assert code == 3
    assert "no account is stored here; sign in with `tui-chat login" in error, (
        "a name that nobody gave is none of theirs"
    )


def test_reading_says_of_a_message_that_it_was_taken_back(accounts: Run) -> None:
    assert accounts("admin", "remove-message", "C2Calice:bob", "1")[0] == 0
    assert "hello from bob" not in accounts("read", "bob")[1]
    assert "(taken back by alice)" in accounts("read", "bob")[1]


def test_tokens_are_readable_by_their_owner_alone(accounts: Run, home: Path) -> None:
    files = [path for path in home.rglob("*.json") if "accounts" in path.parts]
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_wrong_password_is_said_in_one_line(
    accounts: Run, server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_CHAT_PASSWORD", "something else")
    code, _, error = accounts("login", "--server", server.url, "--user", "alice")
    assert code == 3
    assert error == "tui-chat: Unknown user or wrong password.\n"


REACHED_NOT = "look whether it runs there, and whether the address is right\n"


def test_a_server_that_is_not_there_is_said_in_one_line(run: Run) -> None:
    """With its address, the system's reason rather than a library's, and what to do."""
    there = "http://127.0.0.1:9"
    refused = f"tui-chat: {there}: the server cannot be reached (Connection refused); {REACHED_NOT}"
    for words in (("login",), ("register",), ("list",)):
        assert run(*words, "--server", there, "--user", "alice") == (3, "", refused), words
    code, _, error = run("list", "--server", "https://nobody.invalid", "--user", "alice")
    assert (code, error.count("\n")) == (3, 1)
    assert error.startswith("tui-chat: https://nobody.invalid: the server cannot be reached (")
    assert "Errno" not in error


def test_a_stored_accounts_server_that_has_gone_is_named(accounts: Run, server: LiveServer) -> None:
    server.stop()
    refused = f"tui-chat: {server.url}: the server cannot be reached (Connection refused); {REACHED_NOT}"
    for words in (("list",), ("delete", "bob", "--yes"), ("send", "bob", "hello"), ("search", "hello")):
        assert accounts(*words) == (3, "", refused), words


@pytest.mark.parametrize("address", ["ftp://x", "http://", "http://a b", "http://x/path", "http://u@x"])
def test_an_address_that_is_none_is_usage(run: Run, address: str) -> None:
    code, _, error = run("login", "--server", address, "--user", "alice")
    assert code == 2
    assert "server address" in error


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("demo",),
        ("demo", "--join", "--reset"),
        ("list", "--server", "http://127.0.0.1:9"),
        ("read", "bob", "--limit", "0"),
        ("nonsense",),
        ("admin",),
        ("serve", "--port", "99999"),
        ("serve", "--port", "abc"),
        ("list", "--profile", "../x"),
    ],
)
def test_what_cannot_be_done_as_given_exits_with_2(run: Run, words: tuple[str, ...]) -> None:
    code, output, error = run(*words)
    assert code == 2
    assert output == ""
    assert "Traceback" not in error


def test_without_a_terminal_the_client_names_the_plain_commands(run: Run) -> None:
    code, _, error = run()
    assert code == 2
    assert "tui-chat list" in error
    assert error.count("\n") == 1


def test_a_terminal_that_cannot_be_drawn_on_gets_the_plain_commands(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, output, error = run()
    assert (code, output) == (2, "")
    assert "TERM=dumb" in error
    assert "tui-chat list" in error


def test_the_systems_conversation_is_listed_by_the_name_it_is_given_by(accounts: Run) -> None:
    assert accounts("groups", "create", "planning", "alice", "--profile", "bob")[0] == 0
    (line,) = [line for line in accounts("list")[1].splitlines() if "SYSTEM" in line]
    name = line.split()[-2]
    assert name == "system"
    assert "planning" in accounts("read", name)[1]


def test_a_text_of_one_dash_is_what_stands_on_the_input(accounts: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("from a pipe\n"))
    assert accounts("send", "bob", "-")[0] == 0
    assert "from a pipe" in accounts("read", "bob")[1]


def test_nothing_that_others_wrote_reaches_the_terminal_as_commands(accounts: Run) -> None:
    accounts("send", "--profile", "bob", "alice", "a\x1b]0;X\x07b\u202ec")
    for words in (("read", "bob"), ("list",), ("read", "bob", "--json"), ("list", "--json")):
        output = accounts(*words)[1]
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(output)


@pytest.mark.parametrize("content", ["delete = 1\n", "[screen]\ncolour = 1\n", "nonsense", '[screen]\nsymbols = "x"\n'])
def test_a_settings_file_that_cannot_be_used_is_named(run: Run, home: Path, content: str) -> None:
    path = home / "config" / "tui-chat" / "settings.toml"
    path.parent.mkdir(parents=True)
    path.write_text(content, "utf-8")
    code, _, error = run("list")
    assert code == 2
    assert str(path) in error


def test_an_unencrypted_way_to_another_machine_is_warned_of(run: Run) -> None:
    said = run("login", "--server", "http://192.0.2.1.invalid:1", "--user", "alice")[2]
    assert "is not encrypted" in said
    assert "is not encrypted" not in run("login", "--server", "http://127.0.0.1:1", "--user", "alice")[2]


def test_a_reader_that_has_gone_is_no_crash(accounts: Run) -> None:
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [sys.executable, "-m", "tui_chat", "list"], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.parametrize(("redirection", "code", "said"), [("> /dev/full", 1, "No space left"), (">&-", 0, "")])
def test_output_that_nobody_can_take_is_no_crash(accounts: Run, redirection: str, code: int, said: str) -> None:
    if "full" in redirection and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    ask = f'"{sys.executable}" -m tui_chat list {redirection}'
    ended = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == (1 if said else 0)


def test_every_directory_made_for_accounts_is_for_their_owner_alone(run: Run, server: LiveServer, home: Path) -> None:
    with_umask = os.umask(0o022)
    try:
        assert run("register", "--server", server.url, "--user", "alice")[0] == 0
    finally:
        os.umask(with_umask)
    made = [home / "data", *(path for path in (home / "data").rglob("*") if path.is_dir())]
    assert len(made) > 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}
