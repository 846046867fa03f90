"""Conversations that come on standard input, one a line, in the place of `-`."""

import io
import os
import sys
from typing import Any

import pexpect
import pytest

from tests.cli.conftest import Run, objects


def typed_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))


def left(run: Run) -> set[str]:
    return {one["conversationID"] for one in objects(run("list", "--json")[1])}


@pytest.mark.parametrize("how", [("list",), ("list", "--json"), ("delete", "bob", "carol", "--dry-run")])
def test_what_one_command_lists_another_deletes(
    accounts: Run, monkeypatch: pytest.MonkeyPatch, how: tuple[str, ...]
) -> None:
    typed_in(monkeypatch, accounts(*how)[1])
    code, output, _ = accounts("delete", "-", "--yes")
    assert (code, output.split()[0]) == (0, "2")
    assert left(accounts) == set()


def test_a_name_that_somebody_chose_deletes_nothing_else(accounts: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert accounts("groups", "create", "C2Cbob C2Ccarol", "--id", "trap")[0] == 0
    typed_in(monkeypatch, accounts("list", "--match", "trap")[1])
    assert accounts("delete", "-", "--yes")[0] == 0
    assert left(accounts) == {"C2Cbob", "C2Ccarol"}


def test_names_of_several_words_stand_in_a_line_each(accounts: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert accounts("account", "nick", "Bob the Builder", "--profile", "bob")[0] == 0
    typed_in(monkeypatch, "bob the builder\n\n  C2Ccarol\n")
    assert accounts("flag", "-", "--pin")[1] == "C2Cbob: pin\nC2Ccarol: pin\n"


@pytest.mark.parametrize("line", ["nobody of that name", '{"batchID": "b1"}', "{no json", "[1]"])
def test_one_line_that_names_nothing_and_nothing_is_done(
    accounts: Run, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    typed_in(monkeypatch, f"C2Cbob\n{line}\n")
    code, output, errors = accounts("delete", "-", "--yes")
    assert (code != 0, output, len(errors.splitlines())) == (True, "", 1)
    assert left(accounts) == {"C2Cbob", "C2Ccarol"}


def test_nothing_listed_is_nothing_deleted(accounts: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    typed_in(monkeypatch, "")
    assert accounts("delete", "-", "--yes") == (0, "no conversation matches; nothing was deleted\n", "")
    assert left(accounts) == {"C2Cbob", "C2Ccarol"}


def test_without_a_terminal_what_comes_on_the_input_needs_yes(accounts: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    typed_in(monkeypatch, "C2Cbob\ny\n")
    code, _, errors = accounts("delete", "-")
    assert (code, "--yes" in errors) == (2, True)
    assert left(accounts) == {"C2Cbob", "C2Ccarol"}


@pytest.mark.parametrize(("answer", "rest"), [("y", {"C2Ccarol"}), ("n", {"C2Cbob", "C2Ccarol"})])
def test_what_is_piped_is_asked_about_on_the_terminal(accounts: Run, answer: str, rest: set[str]) -> None:
    command = '"$0" -m tui_chat list --match bob | "$0" -m tui_chat delete -'
    environment = {**os.environ, "TERM": "xterm", "PYTHONWARNINGS": "error"}
    child: Any = pexpect.spawn("sh", ["-c", command, sys.executable], env=environment, timeout=30)
    child.expect_exact("[y/N]")
    child.send(f"{answer}\r")
    said = child.read().decode()
    child.close()
    assert ("deleted" in said, "Warning" in said) == (True, False), said
    assert left(accounts) == rest


def test_a_dash_where_nobody_pipes_anything_says_what_it_is_for(accounts: Run) -> None:
    environment = {**os.environ, "TERM": "xterm"}
    child: Any = pexpect.spawn(sys.executable, ["-m", "tui_chat", "delete", "-"], env=environment, timeout=30)
    said = child.read().decode()
    child.close()
    assert child.exitstatus == 2
    assert "takes names or IDs from standard input" in said
