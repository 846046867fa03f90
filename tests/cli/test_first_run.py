"""The first questions: wrong answers are asked again, an empty one leaves."""

import pytest

from tests.cli.conftest import Run, objects
from tests.servers import LiveServer
from tui_chat.cli import first_run


class Person:
    """Answers in order; what the program would do then is only noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str, codes: tuple[int, ...] = ()) -> None:
        self.answers = list(answers)
        self.codes = list(codes)
        self.commands: list[list[str]] = []
        monkeypatch.setattr("builtins.input", lambda _prompt: self.answers.pop(0))
        monkeypatch.setattr(first_run, "_command", self._command)

    def _command(self, words: list[str]) -> int:
        self.commands.append(words)
        return self.codes.pop(0) if self.codes else 0


def test_a_number_that_there_is_not_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(monkeypatch, "4", "yes", "1")
    assert first_run.begin() == 0
    assert person.commands == [["demo"]]


def test_enter_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    for answers in (("",), ("2", ""), ("2", "chat.example.org", "")):
        person = Person(monkeypatch, *answers)
        assert first_run.begin() == 0
        assert person.commands == []
        assert person.answers == []


def test_a_wrong_address_and_a_wrong_password_are_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ("2", "https://chat.example.org/path", "chat.example.org", "alice", "")
    person = Person(monkeypatch, *first, "chat.example.org", "alice", "CODE", codes=(3, 0, 0))
    assert first_run.begin() == 0
    account = ["--server", "https://chat.example.org", "--user", "alice"]
    assert person.commands == [["login", *account], ["register", *account, "--invite", "CODE"], []]
    output = capsys.readouterr().out
    assert "is no server address" in output
    assert "once more" in output


def test_giving_up_keeps_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    Person(monkeypatch, "2", "chat.example.org", "alice", "", "", codes=(3,))
    assert first_run.begin() == 3


@pytest.mark.parametrize(("answers", "sync"), [(("",), "on"), (("maybe", "n"), "off"), (("Y",), "on")])
def test_whether_to_sync_is_asked_until_it_is_said(
    monkeypatch: pytest.MonkeyPatch, answers: tuple[str, ...], sync: str
) -> None:
    person = Person(monkeypatch, "3", *answers)
    first_run.begin()
    assert person.commands == [["serve", "--sync-deletions", sync]]


def test_json_may_stand_before_the_command(accounts: Run, server: LiveServer) -> None:
    before, after = accounts("--json", "list"), accounts("list", "--json")
    assert before[0] == 0
    assert {one["conversationID"] for one in objects(before[1])} >= {"C2Cbob", "C2Ccarol"}
    assert before == after
    code, _, err = accounts("--json")
    assert (code, "tui-chat --json list" in err) == (2, True)
