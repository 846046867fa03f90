"""The command line's words: in what order they may stand, and what is said of one that is unknown."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tui_chat.cli.parser import build_parser


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every command that takes no further one."""
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in inner:
        for one in action.choices.values():
            yield from commands(one)
    if not inner:
        yield parser


@pytest.mark.parametrize(
    "words",
    [
        ["send", "bob", "hello", "--json"],
        ["send", "bob", "--json", "hello"],
        ["send", "--json", "bob", "hello"],
        ["--json", "send", "bob", "hello"],
        ["send", "bob", "--profile", "main", "--json", "hello"],
    ],
)
def test_options_stand_anywhere(words: list[str]) -> None:
    found = build_parser().parse_args(words)
    assert (found.conversation, found.text, found.json) == ("bob", "hello", True)


def test_words_that_look_like_options_stand_behind_two_dashes() -> None:
    found = build_parser().parse_args(["send", "--json", "bob", "--", "--dry-run"])
    assert (found.conversation, found.text, found.json) == ("bob", "--dry-run", True)
    assert build_parser().parse_args(["send", "bob", "-"]).text == "-"


def test_several_names_with_options_between() -> None:
    found = build_parser().parse_args(["delete", "bob", "--yes", "carol", "--keep-history", "#ubuntu"])
    assert found.conversations == ["bob", "carol", "#ubuntu"]
    assert found.yes
    assert found.keep_history
    assert build_parser().parse_args(["delete", "--yes"]).conversations == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("delte bob", "no such command 'delte'; did you mean 'delete'? See tui-chat --help"),
        ("groups crate x", "no such command 'crate'; did you mean 'create'? See tui-chat groups --help"),
        ("qqqq", "no such command 'qqqq'; see tui-chat --help"),
        ("send bob hi --jsn", "no such option '--jsn'; did you mean '--json'? See tui-chat send --help"),
        ("send bob hi --zzzz=1", "no such option '--zzzz'; see tui-chat send --help"),
        ("groups create a --bogus", "no such option '--bogus'; see tui-chat groups create --help"),
        (
            "send bob hi there",
            "'there' is one word too many (a text with spaces stands in quotes); see tui-chat send --help",
        ),
        ("send", "the following arguments are required: NAME|ID; see tui-chat send --help"),
        ("read bob --limit 0", "argument --limit: takes a number from 1, not '0'; see tui-chat read --help"),
        ("completion ksh", "argument shell: takes one of bash, zsh, fish, not 'ksh'; see tui-chat completion --help"),
        ("read bob --profile", "argument --profile: expected one argument; see tui-chat read --help"),
        ("send bob hi --\x1b[31m\nx", "no such option '--\\x1b[31m\\nx'; see tui-chat send --help"),
    ],
)
def test_what_is_wrong_is_one_line_that_says_where_to_read_on(run: Run, line: str, said: str) -> None:
    assert run(*line.split(" ")) == (2, "", f"tui-chat: {said}\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("delte bob", "没有 'delte' 这个命令；你是要用 'delete' 吗？请看 tui-chat --help"),
        ("send bob hi --jsn", "没有 '--jsn' 这个选项；你是要用 '--json' 吗？请看 tui-chat send --help"),
        ("send", "缺少参数：NAME|ID；请看 tui-chat send --help"),
        ("read bob --limit x", "参数 --limit：应是从 1 起的数，而不是 'x'；请看 tui-chat read --help"),
        ("read bob --profile", "参数 --profile：需要一个值；请看 tui-chat read --help"),
    ],
)
@pytest.mark.parametrize("by_file", [False, True])
def test_it_is_said_in_the_readers_language(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str, by_file: bool
) -> None:
    if by_file:
        settings = home / "config" / "tui-chat" / "settings.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text('language = "zh_CN"')
    else:
        monkeypatch.setenv("LANGUAGE", "zh_CN")
    assert run(*line.split()) == (2, "", f"tui-chat: {said}\n")


def test_every_command_says_in_one_line_what_it_does_not_know(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands(build_parser()):
        with pytest.raises(SystemExit) as end:
            command.parse_args(["--no-such-option"])
        assert end.value.code == 2, command.prog
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("tui-chat: ")
        assert line.endswith(f"ee {command.prog} --help")
