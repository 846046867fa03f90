"""What a group is told waits in one row for all, and stands in each log as if it had been written there at once."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases import PostgresServer
from tui_chat.protocol import events
from tui_chat.protocol.limits import LOG_EVENTS
from tui_chat.protocol.requests import CreateGroup, Credentials, SendMessage
from tui_chat.server.engines import Transaction
from tui_chat.server.engines.postgres import PostgresEngine
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.operations import accounts, crowdlog, erasing, groups, messages
from tui_chat.server.operations import events as log
from tui_chat.server.operations.caller import Caller
from tui_chat.server.operations.latest import latest

from .world import Device, World

GROUP = "GROUPteam"


def waiting_rows(world: World) -> int:
    return int(world.rows("SELECT COUNT(*) FROM crowd_event")[0][0])


def everything(device: Device) -> list[events.AnyEvent]:
    """The device's whole log."""
    return device.replayed(f"{device.cursor().rpartition(':')[0]}:0")


@pytest.fixture
def people(world: World, alice: Device, bob: Device, carol: Device) -> list[Device]:
    """Four in a group, of whom one came back into it and one has left it, and whose logs hold events of other kinds."""
    dave = world.join("dave")
    alice.create("team", "bob", "carol", "dave")
    alice.create("other", "bob")
    carol.quit("team")
    bob.send(GROUP, "while carol is away")
    alice.invite("team", "carol")
    for number in range(4):
        bob.send(GROUP, f"one {number}")
        alice.send("GROUPother", f"elsewhere {number}")
        alice.send("C2Cbob", f"between us {number}")
        dave.send(GROUP, f"two {number}", mentions=["bob"])
    bob.flags(GROUP, pinned=True)
    dave.read(GROUP)
    alice.send(GROUP, "read by some")
    dave.quit("team")
    alice.send(GROUP, "without dave")
    return [alice, bob, carol, dave]


def told(one: Device, world: World) -> list[events.Event]:
    return [emitted.event for emitted in world.emitted if emitted.user == one.caller.user]


@pytest.fixture(params=[1, 3, 64])
def rows_at_once(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(crowdlog, "ROWS_AT_ONCE", request.param)
    monkeypatch.setattr(crowdlog, "EVENTS_A_ROW", max(2, request.param // 2))


@pytest.mark.usefixtures("rows_at_once")
@pytest.mark.parametrize("at_once", [1, 12, 6_000])
def test_a_log_is_the_same_before_while_and_after_it_is_spread(
    world: World, people: list[Device], monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(crowdlog, "EVENTS_AT_ONCE", at_once)
    logs = [everything(one) for one in people]
    for one, found in zip(people, logs, strict=True):
        assert found == told(one, world)
        assert [event.event_seq for event in found if isinstance(event, events.Event)] == [*range(1, len(found) + 1)]
    begun = waiting_rows(world)
    assert begun == 15
    turns = 0
    while world.do(crowdlog.waits):
        assert world.do(crowdlog.spread)
        turns += 1
        assert [everything(one) for one in people] == logs
    assert turns == {1: begun, 12: 5, 6_000: 1}[at_once]
    assert not world.do(crowdlog.spread)
    people[1].send(GROUP, "and so on")
    assert [len(everything(one)) for one in people] == [
        len(found) + (one.id != "dave") for one, found in zip(people, logs, strict=True)
    ]


def test_what_many_messages_were_to_somebody_takes_few_rows(world: World, people: list[Device]) -> None:
    world.do(crowdlog.spread)
    [(before,)] = world.rows("SELECT COUNT(*) FROM event")
    for number in range(crowdlog.EVENTS_A_ROW + 1):
        people[0].send(GROUP, f"{number}")
    while world.do(crowdlog.spread):
        pass
    came_back = crowdlog.EVENTS_A_ROW + 1
    assert world.rows("SELECT COUNT(*) FROM event") == [(before + 2 * 2 + came_back,)]


@pytest.mark.usefixtures("rows_at_once")
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_from_every_position_and_in_pieces_of_any_size_nothing_is_missing(
    world: World, people: list[Device], monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(crowdlog, "EVENTS_AT_ONCE", 20)
    for one in people:
        world.do(crowdlog.spread)  # So some of it waits, some is spread, and in the end all.
        epoch, _, end = one.cursor().rpartition(":")
        for position in range(int(end) + 1):
            reached = position
            while reached < int(end):
                answer = one.sync(f"{epoch}:{reached}", limit)
                assert (answer.first, answer.last) == (reached + 1, min(reached + limit, int(end)))
                assert len(answer.events) == answer.last - reached
                assert answer.more == (answer.last < int(end))
                reached = answer.last
            stretch = world.do(log.since, one.caller, position, limit)
            assert isinstance(stretch, events.EventRange)
            assert (stretch.last, len(stretch.events)) == (min(position + limit, int(end)), stretch.last - position)


def test_what_a_log_was_cut_off_of_does_not_come_back(world: World, people: list[Device]) -> None:
    _, bob, _, _ = people
    user, newest = bob.caller.user, int(bob.cursor().rpartition(":")[2])
    kept = everything(bob)[-3:]
    world.change("UPDATE event SET seq = seq + ? WHERE account = ? AND seq > ?", LOG_EVENTS, user, newest)
    world.change("UPDATE stream SET floor = ? WHERE account = ?", newest - 3, user)
    epoch = bob.cursor().rpartition(":")[0]
    assert bob.replayed(f"{epoch}:{newest - 3}") == kept
    assert isinstance(world.do(log.since, bob.caller, newest - 4), events.Reset)
    world.change("DELETE FROM event WHERE account = ? AND seq <= ?", user, newest - 3)
    world.do(crowdlog.spread)
    assert bob.replayed(f"{epoch}:{newest - 3}") == kept
    stored = "".join(row[0] for row in world.rows("SELECT data FROM event WHERE account = ? ORDER BY seq", user))
    assert stored.count("],[") == 1, "only two of them were messages of the group"


def test_logs_that_are_too_old_are_trimmed_once_they_are_spread(world: World, people: list[Device]) -> None:
    world.do(crowdlog.spread)
    world.pass_seconds(31 * 86_400)
    people[1].send(GROUP, "new")
    world.tidy()
    for one in people[:3]:
        epoch, _, end = one.cursor().rpartition(":")
        assert len(one.replayed(f"{epoch}:{int(end) - 1}")) == 1
        assert one.sync(f"{epoch}:{int(end) - 2}").reset == "log_too_old"
    world.do(crowdlog.spread)
    assert world.rows("SELECT DISTINCT account FROM event ORDER BY account") == [
        (one.caller.user,) for one in people[:3]
    ]


def test_who_was_erased_has_no_log_afterwards(world: World, people: list[Device]) -> None:
    alice, bob, _, _ = people
    cursor = alice.cursor()
    world.do(erasing.erase_self, bob.caller, verified="hash")
    bob_s = bob.caller.user
    world.tidy()
    world.pass_seconds(erasing.AFTERWARDS_MS / 1000)
    world.tidy()
    assert world.rows("SELECT COUNT(*) FROM stream WHERE account = ?", bob_s) == [(0,)]
    before = alice.replayed(cursor)
    assert waiting_rows(world)
    world.do(crowdlog.spread)
    assert waiting_rows(world) == 0
    assert world.rows("SELECT COUNT(*) FROM event WHERE account = ?", bob_s) == [(0,)]
    assert alice.replayed(cursor) == before


def test_many_are_told_what_waits_in_one_reading(world: World, people: list[Device]) -> None:
    alice, bob, carol, dave = people
    reached = {one.caller.user: world.do(log.position, one.caller.user) for one in people}
    carol.send(GROUP, "last words")
    carol.quit("team")
    for number in range(3):
        bob.send(GROUP, f"behind her back {number}")
    found = world.do(latest, reached)
    for one in (alice, bob):
        mine = found[one.caller.user].events
        assert mine is not None
        epoch = one.cursor().rpartition(":")[0]
        alone = one.replayed(f"{epoch}:{reached[one.caller.user]}")
        assert [events.decode_event(raw) for _, _, raw in mine] == alone
    assert dave.caller.user not in found
    # What she was told lies further back in the group than in her log: she is told all of it, or reads on alone.
    hers = found[carol.caller.user]
    assert hers.last == reached[carol.caller.user] + 2
    assert hers.events is None or len(hers.events) == 2


@pytest.mark.parametrize("large", [4_294_967_295, 4_294_967_296, 9_007_199_254_740_991])
def test_no_number_is_too_large(world: World, people: list[Device], large: int) -> None:
    bob = people[1]
    world.change("UPDATE stream SET seq = ?, floor = ? WHERE account = ?", large, large, bob.caller.user)
    cursor = bob.cursor()
    people[0].send(GROUP, "a long life")
    before = bob.replayed(cursor)
    assert [event.event_seq for event in before if isinstance(event, events.MessageNew)] == [large + 1]
    world.do(crowdlog.spread)
    assert bob.replayed(cursor) == before == [told(bob, world)[-1]]


# Whole engines.


async def crowd(engine: SqliteEngine | PostgresEngine, names: list[str]) -> list[Caller]:
    """Users who are in a group together."""

    def made(tx: Transaction, name: str) -> Caller:
        asked = Credentials(user_id=name, password="correct horse", device_name="laptop")
        session = accounts.register(tx, asked, "hash", open_registration=True)
        return accounts.authenticate(tx, session.access_token)

    people = [await engine.write(lambda tx, name=name: made(tx, name)) for name in names]  # type: ignore[misc]
    group = CreateGroup(group_id="team", name="team", members=names[1:], join="free")
    await engine.write(lambda tx: groups.create(tx, people[0], group))
    return people


def saying(caller: Caller, number: int) -> Callable[[Transaction], object]:
    request = SendMessage(client_id=f"{caller.user_id}-{number}", text=f"{number}")
    return lambda tx: messages.send(tx, caller, GROUP, request)


def texts(tx: Transaction, caller: Caller) -> list[str]:
    """What a user was told of messages, by a log that must have no gap."""
    found: list[str] = []
    reached = 0
    while True:
        stretch = log.since(tx, caller, reached)
        assert isinstance(stretch, events.EventRange)
        if stretch.last == reached:
            assert reached == log.position(tx, caller.user)
            return found
        told = [events.decode_event(raw) for raw in stretch.events]
        assert [event.event_seq for event in told if isinstance(event, events.Event)] == [
            *range(reached + 1, stretch.last + 1)
        ]
        found += [event.message.text for event in told if isinstance(event, events.MessageNew)]
        reached = stretch.last


async def test_nothing_is_lost_with_a_process_that_is_killed_before_or_while_it_spreads(tmp_path: Path) -> None:
    script = """
import asyncio, os, sys
from pathlib import Path
from tests.server.operations import test_crowdlog as there
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.operations import crowdlog

async def main():
    crowdlog.EVENTS_AT_ONCE = 30
    engine = await SqliteEngine.open(Path(sys.argv[1]))
    people = await there.crowd(engine, list("abcde"))
    for number in range(20):
        await engine.write(there.saying(people[number % 5], number))
    print(*(one.user for one in people), flush=True)
    for _ in range(int(sys.argv[2])):
        await engine.write(crowdlog.spread)

    def killed(tx):
        assert crowdlog.spread(tx)
        os.kill(os.getpid(), 9)

    await engine.write(killed)

asyncio.run(main())
"""
    for turns in (0, 2):
        file = tmp_path / f"{turns}.db"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, str(file), str(turns), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert process.returncode == -9
        people = [Caller(user=int(user), user_id="", device=0, device_id="", device_name="") for user in output.split()]
        engine = await SqliteEngine.open(file)
        try:
            for spread in (False, True):
                while spread and await engine.write(crowdlog.spread):
                    pass
                for one in people:
                    found = await engine.read(lambda tx, one=one: texts(tx, one))  # type: ignore[misc]
                    assert [text for text in found if text.isdigit()] == [*map(str, range(20))]
            assert not await engine.read(crowdlog.waits)
        finally:
            await engine.close()


async def test_processes_that_spread_at_once_lose_nothing_and_double_nothing(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowdlog, "EVENTS_AT_ONCE", 40)
    address = postgres.new_database()
    engines = [await PostgresEngine.open(address) for _ in range(3)]
    try:
        people = await crowd(engines[0], list("abcdefgh"))
        sent: list[str] = []
        stopped = False

        async def spread(engine: PostgresEngine) -> int:
            done = 0
            while not stopped or await engine.read(crowdlog.waits):
                done += await engine.write(crowdlog.spread)
            return done

        async def send(caller: Caller, engine: PostgresEngine) -> None:
            for number in range(15):
                await engine.write(saying(caller, number))
                sent.append(f"{number}")

        async def read(caller: Caller, engine: PostgresEngine) -> None:
            before: list[str] = []
            while not stopped:
                found = await engine.read(lambda tx: texts(tx, caller))
                assert found[: len(before)] == before
                before = found

        spreading = [asyncio.create_task(spread(engine)) for engine in engines]
        reading = [asyncio.create_task(read(people[0], engine)) for engine in engines]
        await asyncio.gather(*(send(one, engines[number % 3]) for number, one in enumerate(people)))
        stopped = True
        assert sum(await asyncio.gather(*spreading)) > 1
        await asyncio.gather(*reading)
        for one in people:
            found = await engines[1].read(lambda tx, one=one: texts(tx, one))  # type: ignore[misc]
            assert sorted(text for text in found if text.isdigit()) == sorted(sent)
        assert await engines[2].read(lambda tx: tx.one("SELECT COUNT(*) FROM crowd_event")) == (0,)
    finally:
        for engine in engines:
            await engine.close()


async def test_who_tidies_is_not_disturbed(postgres: PostgresServer) -> None:
    address = postgres.new_database()
    one, other = await PostgresEngine.open(address), await PostgresEngine.open(address)
    try:
        people = await crowd(one, list("ab"))
        await one.write(saying(people[0], 1))
        begun, done = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def tidying(tx: Transaction) -> None:
            assert tx.is_alone_at("tidying")
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(done.wait(), loop).result(10)

        task = asyncio.create_task(one.write(tidying))
        await begun.wait()
        assert not await other.write(crowdlog.spread)
        assert await other.read(crowdlog.waits)
        done.set()
        await task
        assert await other.write(crowdlog.spread)
        assert not await one.read(crowdlog.waits)
    finally:
        done.set()
        await one.close()
        await other.close()
