"""Whatever happens in whatever order: in the end every device shows what a fresh one is told."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from tests.client.sessions import Sessions, Watched, eventually, in_step, texts
from tests.proxy import Proxy, proxy_to
from tests.servers import LiveServer
from tui_chat.client.session import ChatSession
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.models import Conversation

PEERS = ["bob", "carol", "dave"]


class Play:
    """alice on two devices behind bad networks, and those who write to her."""

    def __init__(self, random: Random, devices: list[tuple[Watched, Proxy]], peers: list[Watched], group: str):
        self.random = random
        self.devices = devices
        self.peers = peers
        self.group = group
        self.tasks: list[asyncio.Task[object]] = []
        self.written = 0
        self.sent: list[tuple[ChatSession, str, str]] = []
        """What peers wrote, and where."""

    @property
    def places(self) -> list[str]:
        return [f"C2C{peer.session.user_id}" for peer in self.peers] + [self.group]

    async def step(self) -> None:
        """One thing happens; what takes time is not waited for."""
        watched, proxy = self.random.choice(self.devices)
        session = watched.session
        match self.random.randrange(12):
            case 0 | 1 | 2:
                peer = self.random.choice(self.peers).session
                self.written += 1
                place = self.random.choice(["C2Calice", self.group])
                self.sent.append((peer, place, f"p{self.written}"))
                self.start(peer.send_message(place, f"p{self.written}"))
            case 3:
                self.written += 1
                self.start(session.send_message(self.random.choice(self.places), f"a{self.written}"))
            case 4 | 5:
                ids = self.random.sample(self.places, self.random.randint(1, 3))
                clear = self.random.random() < 0.5
                self.start(session.delete_conversation(conversation_id_list=ids, clear_history_message=clear))
            case 6:
                self.start(session.undo())
            case 7:
                self.start(session.clear_history([self.random.choice(self.places)]))
            case 8:
                self.start(session.mark_read(self.random.choice(self.places)))
            case 9:
                flag = self.random.choice(["pinned", "muted", "marked_unread"])
                value = self.random.random() < 0.5
                self.start(session.set_flags([self.random.choice(self.places)], **{flag: value}))
            case 10:
                if self.random.random() < 0.5:
                    proxy.cut()
                else:
                    await proxy.stop()
                    await asyncio.sleep(self.random.random() * 0.05)
                    await proxy.start()
                session.reconnect_now()
            case _:
                self.start(session.history(self.random.choice(self.places)))
        await asyncio.sleep(self.random.random() * 0.01)

    async def check_that_nothing_is_lost_or_sent_twice(self) -> None:
        """Peers never delete, so their histories hold everything that was ever said to them or by them, once."""
        for peer in self.peers:
            for place in ("C2Calice", self.group):
                page = await peer.session.history(place, limit=100)
                said = texts(page.messages)
                while page.more:
                    page = await peer.session.history(place, before=page.messages[0].message_seq, limit=100)
                    said = texts(page.messages) + said
                assert len(said) == len(set(said))
                assert {text for who, where, text in self.sent if (who, where) == (peer.session, place)} <= set(said)

    def start(self, work: "asyncio.Future[object] | object") -> None:
        self.tasks.append(asyncio.ensure_future(work))  # type: ignore[arg-type]

    async def settle(self) -> None:
        """Let everything end that was begun."""
        for watched, _ in self.devices:
            watched.session.reconnect_now()
        for outcome in await asyncio.gather(*self.tasks, return_exceptions=True):
            assert not isinstance(outcome, BaseException) or isinstance(outcome, ChatError), repr(outcome)
        for watched, _ in self.devices:
            watched.session.reconnect_now()
            await in_step(watched)
            await eventually(lambda watched=watched: watched.session.queued == 0, "something stays queued")  # type: ignore[misc]


async def alike(device: ChatSession, fresh: ChatSession, said: str) -> None:
    """Wait until a device shows what a fresh one does."""
    truth = comparable(dict(fresh.conversations))
    end = asyncio.get_running_loop().time() + 5
    while (shown := comparable(dict(device.conversations))) != truth:
        differing = {name for name in shown.keys() | truth.keys() if shown.get(name) != truth.get(name)}
        both = "\n".join(f"{name}\n  shown {shown.get(name)}\n  true  {truth.get(name)}" for name in sorted(differing))
        assert asyncio.get_running_loop().time() < end, f"{said}: {device.device_name} differs in\n{both}"
        await asyncio.sleep(0.005)


def comparable(rows: dict[str, Conversation]) -> dict[str, Conversation]:
    return {name: row for name, row in sorted(rows.items()) if name != "@TIM#SYSTEM"}


async def play(
    sessions: Sessions, server: LiveServer, directory: Path, seed: int, steps: int, *, told: bool = True
) -> None:
    """`told`: sync of deletions is on; else it is switched as chance has it, and both devices reload at the end."""
    random = Random(seed)
    switch = {steps * part // 4: random.random() < 0.5 for part in range(4)} if not told else {0: True}
    async with proxy_to(server.url) as first, proxy_to(server.url) as second:
        laptop = await sessions.register("alice", url=first.url, cache=directory / "laptop")
        phone = await sessions.log_in("alice", url=second.url)
        peers = [await sessions.register(name, device="desk") for name in PEERS]
        for peer in peers:
            await peer.session.send_message("C2Calice", "hello")
        group = (await peers[0].session.create_group("plan", members=["alice", *PEERS[1:]])).conversation_id
        made = Play(random, [(laptop, first), (phone, second)], peers, group)
        for number in range(steps):
            if number in switch:
                server.change_settings(sync_conversation_deletion=switch[number])
            await made.step()
        await made.settle()
        await made.check_that_nothing_is_lost_or_sent_twice()
        fresh = await sessions.log_in("alice", device="fresh")
        truth = comparable(dict(fresh.session.conversations))
        for watched in (laptop, phone):
            device = watched.session
            if not told:
                await device.reload()
            await alike(device, fresh.session, f"seed {seed}")
            assert device.stale == frozenset()
            for place in truth:
                expected = await fresh.session.history(place, limit=100)
                for page in (await device.history(place, limit=100), await device.history(place, limit=100)):
                    assert texts(page.messages) == texts(expected.messages), f"seed {seed}: {place}"
                held = texts(device.cached_tail(place, 100))
                assert held == texts(expected.messages)[len(expected.messages) - len(held) :]


async def test_what_came_and_was_cleared_while_one_was_away_shows_as_it_does_elsewhere(
    sessions: Sessions, server: LiveServer, tmp_path: Path
) -> None:
    """The log tells nothing of such messages; the rows that they brought back, or moved, are there all the same."""
    server.change_settings(sync_conversation_deletion=True)
    async with proxy_to(server.url) as way:
        laptop = (await sessions.register("alice")).session
        phone = await sessions.log_in("alice", url=way.url, cache=tmp_path / "phone")
        peers = [await sessions.register(name, device="desk") for name in ("bob", "carol")]
        for peer in peers:
            await peer.session.send_message("C2Calice", "one")
        await eventually(lambda: all(len(comparable(dict(one.conversations))) == 2 for one in (laptop, phone.session)))
        await laptop.delete_conversation("C2Cbob")
        await eventually(lambda: "C2Cbob" not in phone.session.conversations)
        await way.stop()
        for peer in peers:
            await peer.session.send_message("C2Calice", "two")
        await eventually(lambda: all(row.newest_seq == 2 for row in comparable(dict(laptop.conversations)).values()))
        await eventually(lambda: "C2Cbob" in laptop.conversations)
        await laptop.clear_history(["C2Cbob", "C2Ccarol"])
        await way.start()
        phone.session.reconnect_now()
        await in_step(phone)
        fresh = (await sessions.log_in("alice", device="fresh")).session
        assert set(fresh.conversations) >= {"C2Cbob", "C2Ccarol"}
        await alike(phone.session, fresh, "back again")
        again = await sessions.again(phone, cache=tmp_path / "phone", start=False)
        assert comparable(dict(again.session.conversations)) == comparable(dict(fresh.conversations))


@pytest.mark.parametrize("seed", range(6))
async def test_every_device_ends_where_a_fresh_one_begins(
    sessions: Sessions, server: LiveServer, tmp_path: Path, seed: int
) -> None:
    await play(sessions, server, tmp_path, seed, 60)


@pytest.mark.parametrize("seed", range(20, 24))
async def test_where_deletions_are_not_told_a_reload_brings_every_device_in_line(
    sessions: Sessions, server: LiveServer, tmp_path: Path, seed: int
) -> None:
    await play(sessions, server, tmp_path, seed, 60, told=False)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(100, 140))
async def test_every_device_ends_where_a_fresh_one_begins_at_length(
    sessions: Sessions, server: LiveServer, tmp_path: Path, seed: int
) -> None:
    await play(sessions, server, tmp_path, seed, 250, told=seed % 3 > 0)
