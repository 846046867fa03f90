"""Times as a person reads them."""

from datetime import UTC, datetime

import pytest

from tui_chat.tui.render.cells import width
from tui_chat.tui.render.times import Times


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


TIMES = Times(at("2025-11-18 12:41"), UTC)


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        ("2025-11-18 00:00", "00:00"),
        ("2025-11-18 23:59", "23:59"),
        ("2025-11-19 01:00", "01:00"),
        ("2025-11-17 23:59", "Mon"),
        ("2025-11-12 08:00", "Wed"),
        ("2025-11-11 08:00", "11 Nov"),
        ("2025-02-01 08:00", "1 Feb"),
        ("2024-11-01 08:00", "2024"),
    ],
)
def test_short_says_as_much_as_one_needs(time: str, shown: str) -> None:
    assert TIMES.short(at(time)) == shown
    assert width(shown) <= TIMES.column


def test_no_time_is_nothing() -> None:
    assert TIMES.short(0) == ""


def test_day_names_the_year_where_it_is_another() -> None:
    assert TIMES.day(at("2025-11-18 01:00")) == "Tuesday 18 November"
    assert TIMES.day(at("2024-12-31 01:00")) == "Tuesday 31 December 2024"
