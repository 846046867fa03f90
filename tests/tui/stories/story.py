"""A story: keys in order, and what each of them changes on the screen."""

from collections.abc import Callable

import msgspec

from tests.tui.fake import FakeSession

Told = tuple[str, str]
"""A command's name and one of its keys."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Keys, and what the screen shows after them and not before."""

    keys: tuple[str, ...]
    """As Textual names them."""
    shows: str = ""
    hides: str = ""
    command: str | None = None
    """What the first key runs; None: only the way to the next step."""
    only_some_terminals: bool = False
    """No plain terminal can send it."""
    on_a_terminal: str = ""
    """Instead of `shows`, where there is a terminal."""

    def done(self, screen: str, *, terminal: bool = False) -> bool:
        """Whether the screen is as it should be after it."""
        wanted = self.on_a_terminal if terminal and self.on_a_terminal else self.shows
        return (not wanted or wanted in screen) and (not self.hides or self.hides not in screen)


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """Steps on a session of its own."""

    name: str
    session: Callable[[], FakeSession]
    steps: tuple[Step, ...]
    coach: bool = False


def press(command: str, key: str, *then: str, shows: str = "", hides: str = "") -> Step:
    """The key runs the command; with `then` it is seen only once these were pressed as well."""
    assert shows or hides
    return Step(command=command, keys=(key, *then), shows=shows, hides=hides)


def look(command: str, key: str, *then: str, shows: str) -> tuple[Step, Step]:
    """As `press`; what opens is closed again."""
    return press(command, key, *then, shows=shows), go("escape", hides=shows)


def go(*keys: str, shows: str = "", hides: str = "") -> Step:
    """On the way."""
    assert shows or hides
    return Step(keys=keys, shows=shows, hides=hides)
