"""tui/safe.py: what comes out of it can be given to a terminal."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from tui_chat.tui import safe

from .payloads import FORBIDDEN, PAYLOADS


def ways() -> list[Callable[[str], str]]:
    return [
        safe.line,
        lambda text: "\n".join(safe.lines(text)),
        lambda text: safe.fill("{name} joined", name=text),
        lambda text: safe.content(text).plain,
        lambda text: safe.content(text, "bold").plain,
        lambda text: safe.one_line(text).plain,
        lambda text: safe.one_line(text, "bold").plain,
        lambda text: safe.template("{name} joined", name=text).plain,
    ]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_forbidden_character_comes_out(payload: str) -> None:
    for way in ways():
        assert not FORBIDDEN.intersection(way(payload))
        way(payload).encode()


@given(st.text())
def test_nor_out_of_anything_else(text: str) -> None:
    for way in ways():
        assert not FORBIDDEN.intersection(way(text))


@given(st.text())
def test_one_line_stays_one(text: str) -> None:
    for shown in (safe.line(text), safe.fill("{x}", x=text), safe.one_line(text).plain):
        assert "\n" not in shown
        assert len(shown) <= safe.LINE_CHARACTERS


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markup_is_text(payload: str) -> None:
    for made in (safe.content(payload), safe.one_line(payload), safe.template("{x}", x=payload)):
        assert made.spans == []


def test_names_in_a_pattern_are_not_patterns() -> None:
    assert safe.fill("{a} and {b}", a="{b}", b="{c}") == "{b} and {c}"
    assert safe.template("{a}", a="{b}").plain == "{b}"
    with pytest.raises(KeyError):
        safe.fill("{a} {b}", a="x")


def test_values_that_are_content_keep_their_styles() -> None:
    made = safe.template("{n} of {name}", n=3, name=Content.styled("bob", "bold"))
    assert made.plain == "3 of bob"
    assert [span.style for span in made.spans] == ["bold"]


def test_clusters_whose_width_is_doubtful_are_taken_apart() -> None:
    assert safe.line("👨\u200d👩\u200d👧 👍🏽 ❤\ufe0f") == "👨👩👧 👍 ❤"


def test_lines_are_counted() -> None:
    assert len(safe.lines("\n" * 100_000)) == safe.BODY_LINES
