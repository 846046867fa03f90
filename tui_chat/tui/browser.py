"""Opening a link: with the desktop's browser, or with one that runs in the terminal, for as long as it runs."""

import asyncio
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from textual.app import App


def host_of(url: str) -> str | None:
    """Where a link leads: https://bank.example@evil.example is evil.example's. None where that cannot be said."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.hostname if parts.scheme.lower() in ("http", "https") else None


async def open_link(app: "App[Any]", url: str, away: AbstractContextManager[None]) -> bool:
    """Open a link of http or https; `away` gives the terminal to others meanwhile. False: nothing here can open it."""
    if host_of(url) is None:
        return False
    import webbrowser

    try:
        browser = await asyncio.to_thread(webbrowser.get)
    except webbrowser.Error:
        return False
    # Python's own name for browsers that it has to wait for, such as lynx: they draw on the terminal.
    if type(browser) is webbrowser.GenericBrowser:
        with away:
            return await asyncio.to_thread(browser.open, url)
    return await asyncio.to_thread(browser.open, url)
