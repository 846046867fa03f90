"""Work in another thread that nobody leaves behind."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


async def in_thread(work: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs) -> Answer:
    """As `asyncio.to_thread`, but a cancelled caller waits for the end: a thread cannot be stopped, and one that was
    left alone would go on writing files that the next one writes too."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *given, **named))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # nobody is there to whom it could be told
        raise
