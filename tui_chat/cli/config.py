"""`tui-chat config`: where the settings file is, what it says, and what is wrong in it."""

import argparse
from typing import TYPE_CHECKING

from tui_chat.locale import _

from .arguments import Commands, add_json_option

if TYPE_CHECKING:
    from tui_chat.settings_file import Fault


def add(commands: Commands) -> None:
    """Declare the subcommand and its own."""
    parser = commands.add_parser("config", help="where the settings are, what they say, what is wrong in them")
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    check = inner.add_parser("check", help="name what is wrong in the settings file, with its line; exit code 1")
    show = inner.add_parser("show", help="print the settings as they hold, defaults included")
    path = inner.add_parser("path", help="print where the settings file is")
    for command, action in ((check, _check), (show, _show), (path, _path)):
        add_json_option(command)
        command.set_defaults(run=action)


def _path(arguments: argparse.Namespace) -> int:
    from tui_chat.config import Paths

    from .output import print_answer

    path = Paths.of_user().settings_file
    print_answer({"path": str(path), "exists": path.exists()}, str(path), as_json=arguments.json)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    import msgspec

    from tui_chat.config import Paths
    from tui_chat.settings_file import as_toml, read_leniently

    from .output import print_json, print_text

    settings = read_leniently(Paths.of_user().settings_file).settings
    if arguments.json:
        print_json(msgspec.to_builtins(settings))
    else:
        print_text(as_toml(settings).rstrip("\n"))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from tui_chat.config import Paths

    from .output import print_answer, print_line

    path = Paths.of_user().settings_file
    faults = faults_of_file()
    for fault in faults:
        said = f"{path}{'' if fault.line is None else f':{fault.line}'}: {fault.text}"
        print_answer({"path": str(path), "line": fault.line, "text": fault.text}, said, as_json=arguments.json)
    if not faults and not arguments.json:
        found = _("nothing is wrong") if path.exists() else _("there is none; everything has its default")
        print_line(f"{path}: {found}")
    return 1 if faults else 0


def faults_of_file() -> "list[Fault]":
    """All that is wrong in the settings file, by line."""
    from tui_chat.config import Paths
    from tui_chat.settings_faults import line_of
    from tui_chat.settings_file import Fault, read_leniently
    from tui_chat.tui.keymap import keymap_of
    from tui_chat.tui.themes import is_theme

    path = Paths.of_user().settings_file
    read = read_leniently(path)
    faults = list(read.faults)
    text = path.read_text("utf-8", "replace") if path.exists() else ""
    faults += [
        Fault(line=line_of(text, ["keys", wrong.command]), text=f"keys.{wrong.command}: {wrong.text}")
        for wrong in keymap_of(read.settings.keys).faults
    ]
    if not is_theme(theme := read.settings.screen.theme):
        said = _("no theme is called {name!r}").format(name=theme[:80])
        faults.append(Fault(line=line_of(text, ["screen", "theme"]), text=f"screen.theme: {said}"))
    return sorted(faults, key=lambda one: one.line or 0)
