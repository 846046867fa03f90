"""The command line's words: in what order they may stand, and what is said of one that is unknown."""

import argparse
from collections.abc import Iterator

import pytest

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


@pytest.mark.parametrize("words", [["send", "bob", "hello", "--keep-history"], ["groups", "create", "a", "--bogus"]])
def test_what_is_unknown_is_said_with_the_commands_own_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args(words)
    assert end.value.code == 2
    said = capsys.readouterr().err
    named = " ".join(words[: -2 if words[0] == "groups" else -3])
    assert said.startswith(f"usage: tui-chat {named} ")
    assert said.endswith(f"error: unrecognized arguments: {words[-1]}\n")


def test_every_command_takes_what_it_knows_in_any_order(capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands(build_parser()):
        with pytest.raises(SystemExit) as end:
            command.parse_args(["--no-such-option"])
        assert end.value.code == 2, command.prog
        assert "usage: " + command.prog in capsys.readouterr().err
