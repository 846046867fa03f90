"""Wake-ups through NATS: a subject for each user, of which a process hears those who are connected to it.

The client library keeps the connection and speaks the protocol. When to connect again, and whether the server still
answers, is decided here, as for every bus.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from random import Random
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error, SlowConsumerError

from . import DEADLINE_SECONDS, PING_SECONDS
from .link import Link
from .parcels import Outgoing

SUBJECT: Final = "tui-chat"
PARCEL_BYTES: Final = 64 * 1024
SUBSCRIBE_SECONDS: Final = 1.0
"""A socket does not wait longer for its user's subscription; what it then misses, a comparison finds."""
FEW: Final = 16
"""Users that are woken one by one; of more at once, as of a large group, everybody is told in one message."""
WAITING_MOST: Final = 1_000
"""Messages of one subject that wait to be taken in; more means that something is wrong, and they are dropped."""

_log = logging.getLogger(__name__)


class NatsBus(Link):
    """A user's wake-ups are heard where the user is; what concerns many, everywhere."""

    failures = (Error, OSError, TimeoutError)

    def __init__(
        self, servers: Sequence[str], process: str, database: str, *, monotonic: Callable[[], float], random: Random
    ) -> None:
        """`servers`: addresses of one cluster. `process`: a name that is new at each start; `database`: a name that all
        who serve this database use, and nobody else."""
        super().__init__(process, monotonic=monotonic, random=random)
        self._servers = list(servers)
        self._subject = f"{SUBJECT}.{database}"
        self._client: Client | None = None
        self._users: dict[int, Subscription | None] = {}
        """Who is listened to; None while the subscription is being made."""
        self._sure: set[int] = set()
        """Of these, whose subscription the server has confirmed."""
        self._unwanted: list[Subscription] = []

    @staticmethod
    def _described(failure: BaseException) -> str:
        return " ".join(f"{type(failure).__name__}: {failure}".split())[:200]

    async def subscribe(self, user: int) -> None:
        """See Bus."""
        if user in self._sure:
            return
        self._users.setdefault(user, None)
        client = self._client
        if client is None:
            return  # It is made with all the others, once the bus is there.
        try:
            async with asyncio.timeout(SUBSCRIBE_SECONDS):
                await self._subscribe(client, user)
                await client.flush(int(DEADLINE_SECONDS))
            if self._client is client and user in self._users:
                self._sure.add(user)
        except (Error, OSError, TimeoutError) as failure:
            _log.debug("a user's subscription is not confirmed: %s", failure)

    def keep_only(self, users: Collection[int]) -> None:
        """See Bus."""
        wanted = frozenset(users)
        for user in [user for user in self._users if user not in wanted]:
            subscription = self._users.pop(user)
            self._sure.discard(user)
            if subscription is not None:
                self._unwanted.append(subscription)
        if self._unwanted:
            self._something.set()

    def _lost(self) -> None:
        super()._lost()
        self._client = None
        self._unwanted.clear()
        self._sure.clear()
        self._users = dict.fromkeys(self._users)

    async def _connected(self) -> None:
        """Serve one connection until it fails. Raises what it fails with."""
        client, closed = Client(), asyncio.get_running_loop().create_future()

        async def on_close() -> None:
            if not closed.done():
                closed.set_exception(ConnectionError("the NATS server has closed the connection"))

        async def on_error(error: Exception) -> None:
            _log.debug("NATS: %s", self._described(error))
            if isinstance(error, SlowConsumerError):
                self._ears.doubtful()

        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await client.connect(
                    self._servers,
                    name=f"tui-chat {self._process}",
                    no_echo=True,
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=2,
                    ping_interval=3600,
                    closed_cb=on_close,
                    error_cb=on_error,
                )
                await client.subscribe(f"{self._subject}.all", cb=self._heard, pending_msgs_limit=WAITING_MOST)
                self._client = client
                users = list(self._users)
                for user in users:
                    await self._subscribe(client, user)
                await client.flush(int(DEADLINE_SECONDS))
                self._sure.update(user for user in users if user in self._users)
            self._is_there("NATS")
            tasks = [asyncio.ensure_future(work) for work in (closed, self._send(client), self._ping(client))]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                self._lost()
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
        finally:
            self._lost()
            with suppress(Error, OSError, TimeoutError):
                async with asyncio.timeout(DEADLINE_SECONDS):
                    await client.close()
            if closed.done() and not closed.cancelled():
                closed.exception()  # It was told, or came too late to be of interest.

    async def _subscribe(self, client: Client, user: int) -> None:
        if user not in self._users or self._users[user] is not None:
            return
        subscription = await client.subscribe(
            f"{self._subject}.user.{user}", cb=self._hearer(user), pending_msgs_limit=WAITING_MOST
        )
        if user in self._users:
            self._users[user] = subscription
        else:
            self._unwanted.append(subscription)

    def _hearer(self, user: int) -> Callable[[Msg], Awaitable[None]]:
        async def heard(message: Msg) -> None:
            if message.data.isdigit():
                self._ears.woken({user: int(message.data)})
            else:
                self._ears.told((user,), message.data)

        return heard

    async def _heard(self, message: Msg) -> None:
        self._take_in(message.data)

    async def _send(self, client: Client) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            outgoing, unwanted = self._outgoing.take(), self._unwanted
            self._unwanted = []
            async with asyncio.timeout(DEADLINE_SECONDS):
                for subscription in unwanted:
                    await subscription.unsubscribe()
                await self._publish(client, outgoing)
            self._all_sent()

    async def _publish(self, client: Client, outgoing: Outgoing) -> None:
        few: dict[int, int] = {}
        if len(outgoing.wakes) <= FEW:
            few, outgoing.wakes = outgoing.wakes, {}
        tells, outgoing.tells = outgoing.tells, []
        for parcel in outgoing.parcels(self._process, PARCEL_BYTES):
            await client.publish(f"{self._subject}.all", parcel)
        for user, event_seq in few.items():
            await client.publish(f"{self._subject}.user.{user}", b"%d" % event_seq)
        for users, frame in tells:
            for user in users:
                await client.publish(f"{self._subject}.user.{user}", bytes(frame))

    async def _ping(self, client: Client) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            await client.flush(int(DEADLINE_SECONDS))
