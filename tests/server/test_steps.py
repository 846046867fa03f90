"""Coroutines without a task: what they wait for, how they end, and how they are cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from tui_chat.server.steps import Steps


class Ended:
    """How a coroutine ended."""

    def __init__(self) -> None:
        self.there = asyncio.Event()
        self.failure: BaseException | None = None

    def __call__(self, steps: Steps, failure: BaseException | None) -> None:
        assert not self.there.is_set(), "a coroutine ends once"
        self.failure = failure
        self.there.set()

    async def wait(self) -> BaseException | None:
        async with asyncio.timeout(10):
            await self.there.wait()
        return self.failure


def begun(work: Coroutine[Any, Any, None]) -> tuple[Steps, Ended]:
    ended = Ended()
    steps = Steps(asyncio.get_running_loop(), work, ended)
    steps.begin()
    return steps, ended


async def test_what_has_nothing_to_wait_for_is_over_at_once() -> None:
    done = []

    async def work() -> None:
        done.append(1)

    _, ended = begun(work())
    assert done == [1]
    assert ended.there.is_set()
    assert ended.failure is None


async def test_it_goes_on_with_what_it_waited_for() -> None:
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(2)]
    heard: list[Any] = []

    async def work() -> None:
        heard.append(await futures[0])
        await asyncio.sleep(0)
        with pytest.raises(ValueError, match="no"):
            await futures[1]
        heard.append(await asyncio.to_thread(lambda: "from a thread"))

    _, ended = begun(work())
    futures[0].set_result("first")
    futures[1].set_exception(ValueError("no"))
    assert await ended.wait() is None
    assert heard == ["first", "from a thread"]


async def test_what_it_raises_is_told() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise LookupError("nothing there")

    _, ended = begun(work())
    assert isinstance(await ended.wait(), LookupError)


async def test_it_can_be_cancelled_where_it_waits() -> None:
    future = asyncio.get_running_loop().create_future()
    tidied = []

    async def work() -> None:
        try:
            await future
        finally:
            tidied.append(1)

    steps, ended = begun(work())
    assert steps.cancel(msg="the server stops")
    failure = await ended.wait()
    assert isinstance(failure, asyncio.CancelledError)
    assert tidied == [1]
    assert future.cancelled()
    assert not steps.cancel()


async def test_what_is_no_future_cannot_be_awaited() -> None:
    class Strange:
        def __await__(self) -> Any:
            yield "something"

    closed = []

    async def work() -> None:
        try:
            await Strange()
        finally:
            closed.append(1)

    _, ended = begun(work())
    assert isinstance(await ended.wait(), RuntimeError)
    assert closed == [1]


async def test_what_needs_a_task_says_so() -> None:
    async def work() -> None:
        await asyncio.sleep(0)  # or the test's own task would be found
        async with asyncio.timeout(1):
            await asyncio.sleep(0)

    _, ended = begun(work())
    assert isinstance(await ended.wait(), RuntimeError)
