"""Which signs are drawn on which terminals."""

import sys

import pytest

from tui_chat.cli.terminal import drawn_encoding


@pytest.mark.parametrize("kind", ["linux", "linux-16color", "screen.linux", "vt100", "vt220", "ansi"])
def test_terminals_whose_fonts_have_no_other_signs_get_ascii(kind: str) -> None:
    assert drawn_encoding({"TERM": kind}) == "ascii"


@pytest.mark.parametrize(
    "kind", ["xterm-256color", "tmux-256color", "screen", "rxvt-unicode", "xterm-kitty", "foot", ""]
)
def test_others_get_what_their_encoding_has(kind: str) -> None:
    assert sys.__stderr__ is not None
    assert drawn_encoding({"TERM": kind}) == sys.__stderr__.encoding
    assert drawn_encoding({}) == sys.__stderr__.encoding
