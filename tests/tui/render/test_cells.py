"""Fitting and wrapping by cells."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.tui.render.cells import elide, fit, fit_right, head, width, wrap
from tui_chat.tui.safe import line, own

ELLIPSIS = own("…")


@pytest.mark.parametrize(
    ("text", "cells", "shown"),
    [
        ("bob", 5, "bob  "),
        ("planning", 5, "plan…"),
        ("小林同学", 5, "小林…"),
        ("小林同学", 6, "小林… "),
        ("小林", 4, "小林"),
        ("x", 0, ""),
        ("小", 1, " "),
    ],
)
def test_fit_is_exactly_as_wide(text: str, cells: int, shown: str) -> None:
    assert fit(own(text), cells, ELLIPSIS) == shown
    assert width(fit(own(text), cells, ELLIPSIS)) == cells


def test_fit_right_puts_the_text_at_the_end() -> None:
    assert fit_right(own("2"), 4, ELLIPSIS) == "   2"


def test_an_ellipsis_follows_no_space() -> None:
    assert elide(own("two words"), 5, ELLIPSIS) == "two…"


@given(st.text(max_size=60), st.integers(0, 30))
def test_fit_whatever_the_text(text: str, cells: int) -> None:
    assert width(fit(line(text), cells, ELLIPSIS)) == cells
    assert width(head(line(text), cells)) <= cells


def rows(text: str, cells: int) -> list[str]:
    return [text[start:end] for start, end in wrap(text, cells)]


def test_wrap_breaks_at_spaces() -> None:
    assert rows("check the drop-down list", 10) == ["check the", "drop-down", "list"]


def test_wrap_cuts_what_is_too_long_for_a_row() -> None:
    assert rows("https://example.org/abcdef x", 10) == ["https://ex", "ample.org/", "abcdef x"]


def test_wrap_chinese_anywhere_but_before_closing_punctuation() -> None:
    assert rows("你可以在设置里找到它，然后", 8) == ["你可以在", "设置里找", "到它，然", "后"]
    assert rows("一二三四，五", 8) == ["一二三", "四，五"]


def test_an_empty_line_is_one_row() -> None:
    assert wrap("", 10) == [(0, 0)]


@given(st.text(alphabet=st.sampled_from(" ab,。你好🎉-"), max_size=60), st.integers(4, 20))
def test_wrap_loses_nothing_but_spaces_at_breaks(text: str, cells: int) -> None:
    cuts = wrap(text, cells)
    assert all(width(text[start:end]) <= cells for start, end in cuts)
    assert all(one[1] <= other[0] for one, other in pairwise(cuts))
    assert "".join(text[start:end] for start, end in cuts).replace(" ", "") == text.replace(" ", "")
