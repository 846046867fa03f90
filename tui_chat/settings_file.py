"""The settings file as people keep it: read although something in it is wrong, and changed without losing comments.

What is wrong is left out and told with its line; `config.read_settings` refuses the whole file instead.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tui_chat.config import ConfigError, Settings, settings_from, unreadable
from tui_chat.files import write_private
from tui_chat.locale import _
from tui_chat.settings_faults import in_words, line_of, place_of

_FAULTS_MOST: Final = 100


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong in the file."""

    line: int | None = None
    text: str


class Leniently(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that could be read, and what was left out."""

    settings: Settings = Settings()
    faults: tuple[Fault, ...] = ()


def read_leniently(path: Path) -> Leniently:
    """The settings in the file, with the defaults for what is wrong; never raises."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Leniently()
    except (OSError, UnicodeDecodeError) as error:
        return Leniently(faults=(Fault(text=_("cannot be read ({error})").format(error=error)),))
    import tomllib

    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        return Leniently(faults=(Fault(line=int(found[1]) if found else None, text=str(error)),))
    faults: list[Fault] = []
    while len(faults) < _FAULTS_MOST:
        try:
            return Leniently(settings=settings_from(content, path), faults=tuple(faults))
        except msgspec.ValidationError as error:
            place = place_of(str(error))
            faults.append(Fault(line=line_of(text, place), text=in_words(error, content, Settings)))
            if not _leave_out(content, place):
                break
    return Leniently(faults=tuple(faults))


def _leave_out(content: dict[str, Any], place: list[str]) -> bool:
    if not place:
        return False
    *tables, name = place
    inner: Any = content
    for one in tables:
        inner = inner.get(one) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or name not in inner:
        return False
    del inner[name]
    return True


def change_settings(path: Path, changes: Mapping[tuple[str, ...], object]) -> Settings:
    """Write these settings (`("screen", "theme")`: "light") into the file; comments and the rest stay as they are.

    None takes a setting out, so that its default holds. The file is replaced in one step, with mode 0600.

    Raises:
        ConfigError: what stands there is no TOML, or would not be valid with the change; it stays as it is.
    """
    import tomllib

    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(path.read_text("utf-8"))
    except FileNotFoundError:
        document = tomlkit.document()
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise unreadable(path, _("cannot be read ({error})").format(error=error)) from error
    for (*tables, name), value in changes.items():
        inner: Any = document
        for table in tables:
            if table not in inner:
                inner[table] = tomlkit.table()
            inner = inner[table]
        if value is None:
            inner.pop(name, None)
        else:
            inner[name] = value
    text = tomlkit.dumps(document)
    try:
        settings = settings_from(tomllib.loads(text), path)
    except tomllib.TOMLDecodeError as error:
        raise unreadable(path, _("this is no TOML: {error}").format(error=error)) from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {in_words(error, tomllib.loads(text), Settings)}") from error
    # A settings file that is a link stays one: people keep such files elsewhere.
    write_private(path.resolve(), text.encode())
    return settings


def as_toml(settings: Settings) -> str:
    """All settings, defaults included, as a file would say them; what is not said has no line."""
    import tomlkit

    return tomlkit.dumps(_said(msgspec.to_builtins(settings)))


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: _said(value) if isinstance(value, dict) else value for name, value in values.items()}
    return {name: value for name, value in shown.items() if value not in (None, {})}
