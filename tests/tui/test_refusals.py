"""What is said of a refusal."""

import pytest

from tui_chat.protocol.errors import TooFrequent, Unavailable
from tui_chat.tui.refusals import refusal


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "1 second"),
        (14.1, "15 seconds"),
        (119.0, "119 seconds"),
        (121.0, "3 minutes"),
        (900.0, "15 minutes"),
        (3541.0, "1 hour"),
    ],
)
def test_what_was_too_often_says_when_that_is_over(seconds: float, said: str) -> None:
    assert refusal(TooFrequent("too many attempts", retry_after=seconds)) == f"too many attempts (try again in {said})"


def test_it_is_one_sentence() -> None:
    assert refusal(TooFrequent(retry_after=60)) == "Too many requests: wait a little (try again in 1 minute)"


def test_what_is_tried_again_by_itself_says_nothing_of_when() -> None:
    assert refusal(Unavailable("the server is stopping", retry_after=3)) == "the server is stopping"
