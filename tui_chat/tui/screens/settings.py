"""The settings screen: what most people change, written into the settings file at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeVar

import msgspec
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.config import ConfigError, Settings
from tui_chat.locale import N_, _
from tui_chat.settings_file import change_settings
from tui_chat.tui import safe
from tui_chat.tui.dialogs.dialog import Frame, OwnKeys
from tui_chat.tui.dialogs.list_dialog import ListDialog
from tui_chat.tui.render.cells import width
from tui_chat.tui.themes import THEMES

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp

LABEL_CELLS: Final = 36

ON_OFF: Final = ((True, N_("on")), (False, N_("off")))


Inner = TypeVar("Inner", bound=msgspec.Struct)


class Setting(NamedTuple):
    """One line: where it stands in the file, what it is called, which values it can have."""

    place: tuple[str, ...]
    label: str
    values: Sequence[tuple[Any, str]]
    at_next_start: bool = False

    def value(self, settings: Settings) -> Any:
        """As it is now."""
        found: Any = settings
        for name in self.place:
            found = getattr(found, name)
        return found


SETTINGS: Final = (
    Setting(("screen", "theme"), N_("Theme"), tuple((name, name) for name in THEMES)),
    Setting(
        ("screen", "symbols"),
        N_("Symbols"),
        (("auto", N_("as the terminal can")), ("unicode", "Unicode"), ("ascii", "ASCII")),
        at_next_start=True,
    ),
    Setting(("screen", "mouse"), N_("Mouse"), ON_OFF, at_next_start=True),
    Setting(
        ("language",),
        N_("Language"),
        ((None, N_("as the system's")), ("en", "English"), ("zh_CN", "简体中文")),
        at_next_start=True,
    ),
    Setting(("delete", "clear_history"), N_("Deleting starts with Clear history"), ON_OFF),
    Setting(("notify", "desktop"), N_("Desktop notifications"), ON_OFF),
    Setting(("notify", "body"), N_("They say what was written"), ON_OFF),
    Setting(("notify", "bell"), N_("Bell"), ON_OFF),
)


class SettingsScreen(ListDialog[None]):
    """Enter, Space and → take the next value, ← the one before; Esc closes."""

    app: ChatApp

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q", "close"),
        ("j", "move(1)"),
        ("k", "move(-1)"),
        ("space,right,l", "change(1)"),
        ("left,h", "change(-1)"),
    ]
    AUTO_FOCUS = "#entries"
    OWN_KEYS = OwnKeys(
        N_("In the settings"),
        (
            ("enter", N_("Take the next value; Space and → do, too.")),
            ("left", N_("Take the value before.")),
            ("escape", N_("Close the settings; what was changed holds.")),
        ),
    )

    def compose(self) -> ComposeResult:
        with Frame():
            yield Static(Content(_("Settings")).stylize("bold"), markup=False)
            yield OptionList(*(Option(self._line(one)) for one in SETTINGS), id="entries", markup=False, compact=True)
            yield Static(id="text", markup=False)
            keys = Content(_("Enter next value · ← → change · Esc close"))
            yield Static(keys.stylize("$text-muted"), markup=False)

    def on_mount(self) -> None:
        entries = self.query_one("#entries", OptionList)
        entries.styles.height = "auto"
        entries.styles.max_height = "1fr"
        entries.highlighted = 0
        self._say_where()

    def _say_where(self) -> None:
        file = self.app.settings_file
        said = (
            safe.template(_("Kept in {file}; keys and more are changed there."), file=str(file))
            if file is not None
            else Content(_("For this run alone."))
        )
        self.query_one("#text", Static).update(said.stylize("$text-muted"))

    def _line(self, setting: Setting) -> Content:
        value = setting.value(self.app.settings)
        shown = next((_(label) for one, label in setting.values if one == value), str(value))
        label = safe.own(_(setting.label))
        gap = " " * max(LABEL_CELLS - width(label), 2)
        line = safe.template("{label}{gap}{value}", label=label, gap=Content(gap), value=shown)
        if setting.at_next_start:
            return Content.assemble(line, "  ", Content(_("(from the next start)")).stylize("$text-muted"))
        return line

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter, or a click."""
        event.stop()
        self.action_change(1)

    def action_change(self, step: int) -> None:
        """Take another value, and write it."""
        entries = self.query_one("#entries", OptionList)
        at = entries.highlighted
        if at is None:
            return
        setting = SETTINGS[at]
        values = [value for value, _label in setting.values]
        now = setting.value(self.app.settings)
        value = values[(values.index(now) + step) % len(values)] if now in values else values[0]
        try:
            self.app.use_settings(self._changed(setting, value))
        except (ConfigError, OSError) as error:
            self.query_one("#text", Static).update(safe.one_line(str(error)).stylize("$text-error"))
            return
        entries.replace_option_prompt_at_index(at, self._line(setting))
        self._say_where()

    def _changed(self, setting: Setting, value: object) -> Settings:
        if self.app.settings_file is not None:
            change_settings(self.app.settings_file, {setting.place: value})
        return setting_changed(self.app.settings, setting.place, value)


def setting_changed(settings: Inner, place: tuple[str, ...], value: object) -> Inner:
    """The settings with one other value."""
    name, *inner = place
    new = setting_changed(getattr(settings, name), tuple(inner), value) if inner else value
    return msgspec.structs.replace(settings, **{name: new})
