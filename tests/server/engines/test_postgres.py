"""The PostgreSQL engine: many at once, in whose order what is told, and what becomes of lost connections."""

import asyncio
import itertools
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from tests.accounts import DEADLINE, People
from tests.databases import PostgresServer, postgres_server
from tests.server.engines.jobs import Job, names, reads_one_state
from tests.servers import LiveServer
from tui_chat.protocol.errors import NameTaken, NotFound, RegistrationClosed, Unavailable
from tui_chat.protocol.events import DeviceRevoked
from tui_chat.protocol.requests import (
    ChangeSettings,
    CreateGroup,
    Credentials,
    DeleteConversations,
    Invite,
    MessageSent,
    ReadConversations,
    ReadMark,
    SendMessage,
    Session,
    SetFlags,
)
from tui_chat.server.engines import Clock, Committed, Transaction, postgres_writer
from tui_chat.server.engines.postgres import PostgresEngine
from tui_chat.server.operations import (
    accounts,
    conversations,
    deletion,
    devices,
    expiry,
    groups,
    messages,
    reactions,
    settings,
)
from tui_chat.server.operations.caller import Caller
from tui_chat.server.options import CannotServe, ServerOptions


@asynccontextmanager
async def opened(address: str, clock: Clock | None = None) -> AsyncIterator[PostgresEngine]:
    engine = await PostgresEngine.open(address, clock=clock)
    try:
        yield engine
    finally:
        await engine.close()


async def register(engine: PostgresEngine, name: str, invite: str | None = None) -> Session:
    asked = Credentials(user_id=name, password="correct horse", device_name="laptop", invite=invite)
    return await engine.write(lambda tx: accounts.register(tx, asked, "hash", open_registration=invite is None))


async def join(engine: PostgresEngine, name: str) -> Caller:
    session = await register(engine, name)
    return await engine.read(lambda tx: accounts.authenticate(tx, session.access_token))


async def test_everybody_at_once(postgres: PostgresServer) -> None:
    address = postgres.new_database()
    heard: dict[int, list[int]] = {}
    chance = random.Random(1)

    def listen(committed: Committed) -> None:
        for one in committed.emitted:
            heard.setdefault(one.user, []).append(one.event_seq)

    async with opened(address) as engine:
        engine.on_commit(listen)
        people = [await join(engine, f"user{number}") for number in range(6)]
        await engine.write(lambda tx: settings.apply(tx, ChangeSettings(undo_seconds=0)))
        everybody = CreateGroup(group_id="all", name="all", members=[one.user_id for one in people[1:]], join="free")
        await engine.write(lambda tx: groups.create(tx, people[0], everybody))
        numbers = itertools.count()

        def job(who: Caller) -> Callable[[Transaction], object]:
            to = chance.choice(["GROUPall", *(f"C2C{one.user_id}" for one in people if one is not who)])
            number = f"n{next(numbers)}"
            match chance.randrange(8):
                case 0:
                    asked = DeleteConversations(conversation_id_list=[to, "GROUPall"], operation_id=number)
                    return lambda tx: deletion.delete(tx, who, deletion.in_order(who, asked))
                case 1:
                    read = ReadConversations(items=[ReadMark(conversation_id=to, message_seq=10_000)])
                    return lambda tx: conversations.read(tx, who, read)
                case 2:
                    flags = SetFlags(conversation_id_list=[to], muted=True, operation_id=number)
                    return lambda tx: conversations.flags(tx, who, flags)
                case 3:
                    return chance.choice(expiry.PIECES)
                case 4:
                    return lambda tx: reactions.react(tx, who, "GROUPall", 1 + chance.randrange(5), "👍")
                case _:
                    return lambda tx: messages.send(tx, who, to, SendMessage(client_id=number, text="hello"))

        jobs = [engine.write(job(chance.choice(people))) for _ in range(400)]
        results = await asyncio.gather(*jobs, return_exceptions=True)
        failures = [one for one in results if isinstance(one, BaseException) and not isinstance(one, NotFound)]
        refused = {type(one).__name__ for one in failures}
        assert refused <= {"NotChangeable"}
        for user, seqs in heard.items():
            assert seqs == list(range(1, len(seqs) + 1)), f"user {user} was told out of order"
        told: dict[int, int] = await engine.read(lambda tx: dict(tx.all("SELECT account, seq FROM stream")))
        assert {user: seqs[-1] for user, seqs in heard.items()} == {user: seq for user, seq in told.items() if seq}
        assert await engine.read(_gaps) == []
        assert await engine.read(_out_of_order) == []
        with psycopg.connect(address) as connection:
            query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            assert connection.execute(query).fetchone() == (0,)


def _gaps(tx: Transaction) -> list[object]:
    """Conversations whose messages are not numbered through."""
    return list(
        tx.all(
            "SELECT c.id FROM conversation c LEFT JOIN message m ON m.conversation = c.id GROUP BY c.id, c.last_seq"
            " HAVING COUNT(m.seq) <> c.last_seq OR COALESCE(MAX(m.seq), 0) <> c.last_seq"
        )
    )


def _out_of_order(tx: Transaction) -> list[object]:
    """Messages that bear an earlier time than the one before them."""
    return list(
        tx.all(
            "SELECT m.conversation, m.seq, m.time, b.time FROM message m JOIN message b"
            " ON b.conversation = m.conversation AND b.seq = m.seq - 1 WHERE m.time < b.time"
        )
    )


async def test_of_those_who_want_one_name_one_gets_it(postgres: PostgresServer) -> None:
    async with opened(postgres.new_database()) as engine:
        results = await asyncio.gather(
            *(register(engine, "alice") for _ in range(8)),
            *(register(engine, f"user{number}") for number in range(8)),
            return_exceptions=True,
        )
        assert sum(isinstance(one, Session) for one in results[:8]) == 1
        assert sum(isinstance(one, NameTaken) for one in results[:8]) == 7
        assert all(isinstance(one, Session) for one in results[8:])
        count = "SELECT COUNT(*) FROM account WHERE administrator = 1"
        assert await engine.read(lambda tx: tx.one(count)) == (1,)


async def test_an_invitation_lets_one_in(postgres: PostgresServer) -> None:
    async with opened(postgres.new_database()) as engine:
        administrator = await join(engine, "alice")
        invite = (await engine.write(lambda tx: accounts.create_invite(tx, administrator))).invite
        results = await asyncio.gather(
            *(register(engine, f"user{number}", invite) for number in range(6)), return_exceptions=True
        )
        assert sum(isinstance(one, Session) for one in results) == 1
        assert sum(isinstance(one, RegistrationClosed) for one in results) == 5


async def test_nobody_is_invited_first_once_somebody_registers(postgres: PostgresServer) -> None:
    """Such an invitation would outlast the first account, who is told that none is left."""
    address = postgres.new_database()
    loop = asyncio.get_running_loop()
    inviting: list[Future[Invite | None]] = []
    waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with opened(address) as engine, opened(address) as other:

        def registering(tx: Transaction) -> Session:
            asked = Credentials(user_id="alice", password="correct horse", device_name="laptop")
            session = accounts.register(tx, asked, "hash", open_registration=True)
            inviting.append(asyncio.run_coroutine_threadsafe(other.write(accounts.first_invite), loop))
            with psycopg.connect(address, autocommit=True) as connection:
                while not (inviting[0].done() or connection.execute(waits).fetchone()):
                    pass
            return session

        await engine.write(registering)
        assert await asyncio.wrap_future(inviting[0]) is None
        assert await engine.read(lambda tx: tx.all("SELECT * FROM invite")) == []


async def test_two_who_write_to_each_other_first_begin_one_conversation(postgres: PostgresServer) -> None:
    async with opened(postgres.new_database()) as engine:
        alice, bob = await join(engine, "alice"), await join(engine, "bob")

        def sending(who: Caller, to: str, number: int) -> Awaitable[MessageSent]:
            request = SendMessage(client_id=f"{who.user_id}{number}", text="hello")
            return engine.write(lambda tx: messages.send(tx, who, to, request))

        sent = [sending(alice, "C2Cbob", number) for number in range(5)]
        sent += [sending(bob, "C2Calice", number) for number in range(5)]
        answers = await asyncio.gather(*sent)
        assert sorted(one.message.message_seq for one in answers) == list(range(1, 11))


async def test_who_is_not_locked_when_numbers_are_taken_is_locked_first_and_the_job_begun_anew(
    postgres: PostgresServer,
) -> None:
    address = postgres.new_database()
    async with opened(address) as engine:
        alice = await join(engine, "alice")
        stand = "SELECT seq FROM stream WHERE account = ?"
        [stands] = await engine.read(lambda tx: tx.one(stand, alice.user)) or (None,)
        taken: list[int] = []
        free: list[object] = []

        def take(tx: Transaction) -> int:
            tx.execute("INSERT INTO meta (name, value) VALUES ('try', '')")
            with psycopg.connect(address) as connection:
                free.append(connection.execute("SELECT 1 FROM stream FOR NO KEY UPDATE SKIP LOCKED").fetchone())
            taken.append(tx.take_event_seqs({alice.user: 2, 1_000_000: 1})[alice.user])
            return taken[-1]

        assert await engine.write(take) == stands
        assert taken == [stands]
        assert free == [(1,), None]
        assert "try" in await engine.read(names)
        assert await engine.read(lambda tx: tx.one(stand, alice.user)) == (stands + 2,)


async def test_devices_that_are_heard_of_at_two_processes_at_once_do_not_wait_for_each_other(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when many reconnect: the database ended such circles after a second each."""
    address = postgres.new_database()
    broken: list[BaseException] = []

    def is_race(failure: BaseException) -> bool:
        broken.append(failure)
        return True

    monkeypatch.setattr(postgres_writer, "is_race", is_race)
    async with opened(address) as engine, opened(address) as other:
        tokens = [(await register(engine, name)).access_token for name in ("alice", "bob")]
        both = threading.Barrier(2, timeout=DEADLINE)

        def touching(first: str, second: str) -> Callable[[Transaction], None]:
            met: list[int] = []

            def job(tx: Transaction) -> None:
                devices.touch(tx, accounts.authenticate(tx, first), first)
                if not met:
                    met.append(both.wait())
                devices.touch(tx, accounts.authenticate(tx, second), second)

            return job

        await asyncio.gather(engine.write(touching(*tokens)), other.write(touching(*reversed(tokens))))
        assert broken == []
        assert await engine.read(lambda tx: tx.all("SELECT confirmed FROM device")) == [(1,), (1,)]


async def test_jobs_that_wait_share_a_transaction_and_one_that_fails_fails_alone(postgres: PostgresServer) -> None:
    async with opened(postgres.new_database()) as engine:
        shared: list[int] = []
        told: list[str] = []
        engine.on_group(lambda jobs, _: shared.append(jobs))
        engine.on_commit(
            lambda one: told.extend(x.event.device_id for x in one.emitted if isinstance(x.event, DeviceRevoked))
        )
        gate = threading.Event()
        first = [asyncio.ensure_future(engine.write(Job(f"first{number}", gate=gate))) for number in range(4)]
        jobs = [Job(f"{number:02}", NotFound() if number % 5 == 0 else None) for number in range(40)] + [
            Job("01"),
            Job("02"),
        ]
        rest = [asyncio.ensure_future(engine.write(one)) for one in jobs]
        await asyncio.sleep(0)
        gate.set()
        results = await asyncio.gather(*first, *rest, return_exceptions=True)
        assert max(shared) > 1
        good = [f"{number:02}" for number in range(40) if number % 5]
        assert sum(isinstance(one, NotFound) for one in results) == 8
        assert sum(isinstance(one, psycopg.errors.UniqueViolation) for one in results) == 2
        assert await engine.read(names) == [*good, "first0", "first1", "first2", "first3"]
        assert sorted(told) == [*good, "first0", "first1", "first2", "first3"]


async def test_reading_sees_one_state_and_cannot_write(postgres: PostgresServer) -> None:
    async with opened(postgres.new_database()) as engine:
        await reads_one_state(engine)
        with pytest.raises(Unavailable):
            await engine.read(Job("a"))
        assert await engine.read(names) == ["meanwhile"]


ENGINE_LOG = "tui_chat.server.engines.postgres_reaching"


async def test_a_lost_database_refuses_and_is_found_again(caplog: pytest.LogCaptureFixture) -> None:
    with postgres_server() as server:
        async with opened(server.new_database()) as engine:
            await engine.write(Job("before"))
            await asyncio.to_thread(server.stop, "fast")
            for number in range(8):
                with pytest.raises(Unavailable, match=r"^the database cannot be (used|reached) just now$"):
                    await engine.write(Job(f"lost{number}"))
                with pytest.raises(Unavailable, match=r"^the database cannot be (used|reached) just now$"):
                    await engine.read(names)
            assert engine.refusals > 0
            said = [record.getMessage() for record in caplog.records if record.name == ENGINE_LOG]
            assert any("connection" in one for one in said), "where it is stands in the log"
            assert len(said) <= 6, said
            await asyncio.to_thread(server.start)
            deadline = asyncio.get_running_loop().time() + 10
            while True:
                try:
                    await engine.write(Job("after"))
                    break
                except Unavailable:
                    assert asyncio.get_running_loop().time() < deadline
                    await asyncio.sleep(0.05)
            assert await engine.read(names) == ["after", "before"]
            # One that was idle meanwhile is broken, which nobody notices.
            await asyncio.to_thread(server.stop, "fast")
            await asyncio.to_thread(server.start)
            results = await asyncio.gather(*(engine.write(Job(f"again{number}")) for number in range(8)))
            assert len(results) == 8
            assert len(await engine.read(names)) == 10


async def test_closing_finishes_what_was_asked_for(postgres: PostgresServer) -> None:
    address = postgres.new_database()
    async with opened(address) as engine:
        jobs = [asyncio.ensure_future(engine.write(Job(f"{number:03}"))) for number in range(100)]
        await asyncio.sleep(0)
    await asyncio.gather(*jobs)
    with pytest.raises(Unavailable):
        await engine.write(Job("late"))
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT COUNT(*) FROM meta WHERE name <> 'epoch'").fetchone() == (100,)


async def test_a_newer_schema_is_refused_and_the_epoch_stays(postgres: PostgresServer) -> None:
    def epoch(tx: Transaction) -> object:
        return tx.one("SELECT value FROM meta WHERE name = 'epoch'")

    address = postgres.new_database()
    async with opened(address) as engine:
        first = await engine.read(epoch)
    async with opened(address) as engine:
        assert await engine.read(epoch) == first
        await engine.write(lambda tx: tx.execute("INSERT INTO migration (number, applied) VALUES (9999, 0)"))
    with pytest.raises(RuntimeError, match="update it"):
        await PostgresEngine.open(address)


async def test_one_that_cannot_be_reached_is_refused_in_one_line(postgres: PostgresServer) -> None:
    with pytest.raises(Unavailable) as refusal:
        await PostgresEngine.open(postgres.address("nowhere"))
    assert "nowhere" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_server_on_postgres(postgres: PostgresServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "tui_chat.server.run")
    live = LiveServer(tmp_path / "server", database=postgres.new_database())
    people = People(live.url)
    try:
        alice, bob = people.register("alice"), people.register("bob")
        with bob.stream() as stream:
            alice.send("C2Cbob", "hello")
            assert stream.event("message.new")["message"]["text"] == "hello"
    finally:
        people.close()
        live.stop()
    assert not (tmp_path / "server").exists()
    (said,) = [record for record in caplog.records if record.message == "listening"]
    assert said.__dict__["facts"] == {"url": live.url, "data": live.options.kept_in}
    assert live.options.kept_in.startswith("postgresql://postgres@/test")


@pytest.mark.parametrize("address", ["mysql://here/there", "sqlite:///tmp/x"])
def test_another_kind_of_database_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(CannotServe, match="postgresql://"):
        ServerOptions(data=tmp_path, database=address).check()
