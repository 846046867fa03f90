"""Addresses: segments that are named come first, and what they lead to nowhere is left to parameters."""

from typing import Any

import pytest

from tui_chat.server.addresses import Addresses, Application

PATTERNS = ("/a", "/a/{x}", "/a/{x}/c", "/a/b/d", "/a/b/{y}/e", "/{z}/b")


@pytest.fixture
def addresses() -> Addresses[Application]:
    found = Addresses[Application]()
    for pattern in PATTERNS:

        async def application(scope: Any, receive: Any, send: Any, pattern: str = pattern) -> None:
            scope["found"] = pattern

        found.add(pattern, application)
    return found


@pytest.mark.parametrize(
    ("path", "pattern", "parameters"),
    [
        ("/a", "/a", {}),
        ("/a/b", "/a/{x}", {"x": "b"}),
        ("/a/q", "/a/{x}", {"x": "q"}),
        ("/a/b/c", "/a/{x}/c", {"x": "b"}),
        ("/a/b/d", "/a/b/d", {}),
        ("/a/b/d/e", "/a/b/{y}/e", {"y": "d"}),
        ("/q/b", "/{z}/b", {"z": "q"}),
        ("/a/%2F", "/a/{x}", {"x": "/"}),
    ],
)
async def test_the_address_is_found(
    addresses: Addresses[Application], path: str, pattern: str, parameters: dict[str, str]
) -> None:
    found = addresses.find(path)
    assert found is not None
    application, values = found
    scope: dict[str, Any] = {}
    await application(scope, None, None)  # type: ignore[arg-type]
    assert scope["found"] == pattern
    assert values == parameters


@pytest.mark.parametrize("path", ["", "/", "/a/", "/a//c", "//b", "/a/b/c/d", "/q", "/a/b/d/f", "a"])
def test_there_is_nothing(addresses: Addresses[Application], path: str) -> None:
    assert addresses.find(path) is None


def test_what_is_added_later_is_found_and_long_addresses_are(addresses: Addresses[Application]) -> None:
    assert addresses.find("/late") is None

    async def application(scope: Any, receive: Any, send: Any) -> None:
        """Nothing to be done."""

    addresses.add("/late", application)
    assert addresses.find("/late") == (application, {})
    long = "x" * 10_000
    found = addresses.find(f"/a/{long}")
    assert found is not None
    assert found[1] == {"x": long}
