"""`tui-chat completion`: what makes a shell complete the command, written from the parser itself."""

import argparse
from collections.abc import Mapping

from .arguments import Commands


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "completion",
        help="print what makes a shell complete this command",
        description='Print what makes a shell complete this command. bash: eval "$(tui-chat completion bash)" in'
        " ~/.bashrc. zsh: tui-chat completion zsh > a file _tui-chat in a directory of $fpath. fish: tui-chat"
        " completion fish > ~/.config/fish/completions/tui-chat.fish",
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    import shtab

    from .parser import build_parser

    parser = build_parser()
    _complete_paths(parser, {"FILE": shtab.FILE, "DIR": shtab.DIRECTORY})
    _describe_briefly(parser)
    print(shtab.complete(parser, shell=arguments.shell))
    return 0


def _describe_briefly(parser: argparse.ArgumentParser) -> None:
    """A shell shows one line of each command: its help, not the beginning of its description."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                action.choices[choice.dest].description = choice.help
            for inner in action.choices.values():
                _describe_briefly(inner)


def _complete_paths(parser: argparse.ArgumentParser, by_metavar: Mapping[str, object]) -> None:
    """Have the shell complete files and directories where an option says that it takes one."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete_paths(inner, by_metavar)
        elif isinstance(action.metavar, str) and action.metavar in by_metavar:
            action.complete = by_metavar[action.metavar]  # type: ignore[attr-defined]  # shtab's way to be told
