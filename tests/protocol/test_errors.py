"""The table of errors: what the server answers is what the client raises."""

import pytest

from tui_chat.client import problems  # a client's own errors have codes as well
from tui_chat.protocol import errors
from tui_chat.protocol.errors import (
    ERRORS,
    ChatError,
    ErrorAnswer,
    ErrorBody,
    TooManyConversations,
    Unexpected,
    error_from,
)
from tui_chat.protocol.wire import decode, encode


@pytest.mark.parametrize("kind", ERRORS.values(), ids=ERRORS)
def test_an_error_crosses_the_wire(kind: type[ChatError]) -> None:
    answer = decode(encode(ErrorAnswer(error=kind("what happened").body())), ErrorAnswer)
    raised = error_from(answer.error, retry_after=2.0)
    assert type(raised) is kind
    assert str(raised) == "what happened"
    assert raised.retry_after == 2.0
    assert 400 <= kind.status < 600


@pytest.mark.parametrize("kind", ERRORS.values(), ids=ERRORS)
def test_every_error_says_something_by_itself(kind: type[ChatError]) -> None:
    assert len(str(kind())) > 10
    assert "\n" not in str(kind())


def test_codes_are_unique() -> None:
    seen: set[str] = set()

    def visit(kind: type[ChatError]) -> None:
        for child in kind.__subclasses__():
            if child.__module__ not in (errors.__name__, problems.__name__):
                continue  # a command's own words for one of these
            assert "code" in vars(child) or child.__name__ == "Internal", child
            assert child.code not in seen
            seen.add(child.code)
            visit(child)

    visit(ChatError)


def test_tencents_numbers_travel_in_the_details() -> None:
    assert TooManyConversations().body().details["tencent"] == 51006


def test_a_newer_servers_code_keeps_its_message() -> None:
    raised = error_from(ErrorBody(code="from_the_future", message="words"))
    assert isinstance(raised, Unexpected)
    assert str(raised) == "words"
