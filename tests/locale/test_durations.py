"""How long something lasts is said exactly, and as shortly as that can be."""

import pytest

from tui_chat.locale.durations import duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (600, "10 minutes"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (3600, "1 hour"),
        (86_400, "24 hours"),
        (1, "1 second"),
    ],
)
def test_it_is_exact_in_the_unit_that_says_it_shortest(seconds: int, said: str) -> None:
    assert duration(seconds) == said
