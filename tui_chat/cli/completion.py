"""`tui-chat completion`: what makes a shell complete the command, written from the parser itself."""

import argparse

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
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="which")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    import shtab

    from .parser import build_parser

    print(shtab.complete(build_parser(), shell=arguments.shell))
    return 0
