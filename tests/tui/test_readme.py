"""The README says of keys and settings what is so.

After a change of the registry: UPDATE_README=1 pytest tests/tui/test_readme.py
"""

import os
import re
import tomllib
from pathlib import Path

import msgspec

from tui_chat.config import Settings, settings_from
from tui_chat.tui.commands.command import Command, Scope
from tui_chat.tui.commands.registry import help_of, in_scope
from tui_chat.tui.screens.help import TITLES

README = Path(__file__).parents[2] / "README.md"
BEGIN = "<!-- keys: written by UPDATE_README=1 pytest tests/tui/test_readme.py -->\n"
END = "<!-- end of keys -->"


def line(command: Command) -> str:
    keys = " ".join(f"`{key}`" for key in command.key_text().split(", ")) if command.keys else ""
    return f"| {keys} | `{command.id}` | {help_of(command).replace('|', chr(92) + '|')} |\n"


def table() -> str:
    parts = []
    for scope in Scope:
        shown = [one for one in in_scope(scope) if one.in_help and (one.keys or one.in_palette)]
        parts.append(f"| {TITLES[scope].lower()} | command | |\n| --- | --- | --- |\n" + "".join(map(line, shown)))
    return "\n" + "\n".join(parts) + "\n"


def test_the_keys_are_those_of_the_registry() -> None:
    text = README.read_text("utf-8")
    before, rest = text.split(BEGIN)
    written, after = rest.split(END)
    if os.environ.get("UPDATE_README"):
        written = table()
        README.write_text(before + BEGIN + written + END + after, "utf-8")
    assert written == table()


def test_the_settings_are_those_that_there_are_with_their_defaults() -> None:
    found = re.search(r"```toml\n(# language.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert found is not None
    said = tomllib.loads(found[1])
    assert said.pop("keys") == {"delete": ["d", "delete"]}
    assert settings_from(said, README) == Settings()
    tables = {name: set(value) for name, value in said.items()}
    for name in ("screen", "delete", "history", "notify"):
        assert tables[name] == set(msgspec.to_builtins(getattr(Settings(), name)))
