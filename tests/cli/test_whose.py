"""Where several accounts are stored: whose conversations a command changed, or is about to change."""

import os
import sys
from typing import Any

import pexpect
import pytest

from tests.cli.conftest import Run
from tests.servers import LiveServer

CHANGING = (("flag", "carol", "--pin"), ("send", "carol", "hello"), ("delete", "carol", "--yes"), ("undo",))


def test_what_changes_the_account_used_last_says_which_that_is(accounts: Run, server: LiveServer) -> None:
    said = f"as alice at {server.url} (the account used last; --profile NAME takes another)\n"
    for words in CHANGING:
        code, _, errors = accounts(*words)
        assert (code, errors) == (0, said), words
    for reading in (["list"], ["read", "bob"], ["log"], ["delete", "bob", "--dry-run"]):
        assert accounts(*reading)[2] == "", reading


def test_whoever_named_the_account_hears_nothing_of_it(accounts: Run, server: LiveServer) -> None:
    for words in CHANGING:
        assert accounts(*words, "--profile", "main")[::2] == (0, ""), words
        assert accounts(*words, "--server", server.url, "--user", "alice")[::2] == (0, ""), words
        assert accounts(*words, "--json")[::2] == (0, ""), words


def test_what_was_refused_took_nobodys_conversations(accounts: Run) -> None:
    for words in (("delete", "C2Cstranger", "--yes"), ("flag", "C2Cstranger", "--pin")):
        assert accounts(*words)[::2] == (1, ""), words


@pytest.mark.parametrize("several", [True, False])
def test_the_question_names_the_account_where_there_are_several(
    accounts: Run, server: LiveServer, several: bool
) -> None:
    if not several:
        for profile in ("alice", "bob", "carol"):
            assert accounts("logout", "--profile", profile)[0] == 0
        assert accounts("flag", "carol", "--pin")[2] == "", "nobody else can be meant"
    environment = {**os.environ, "TERM": "xterm"}
    command = ["-m", "tui_chat", "delete", "bob"]
    child: Any = pexpect.spawn(sys.executable, command, env=environment, timeout=30, dimensions=(24, 200))
    child.expect_exact("[y/N]")
    asked = child.before.decode().splitlines()[-1].strip()
    child.send("n\r")
    child.read()
    child.close()
    assert asked == (f"Delete 1 conversation of alice at {server.url}?" if several else "Delete 1 conversation?")
