"""One-to-one messages through the operations and an engine alone, without HTTP: SQLite beside PostgreSQL.

python -m tests.bench._engines [--seconds 5] [--senders 64] [--fsync]
"""

import argparse
import asyncio
import itertools
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.databases import postgres_server
from tui_chat.protocol.requests import Credentials, SendMessage
from tui_chat.server.engines import Engine, Transaction
from tui_chat.server.engines.postgres import PostgresEngine
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.operations import accounts, messages
from tui_chat.server.operations.caller import Caller
from tui_chat.server.run import new_event_loop


async def _join(engine: Engine, name: str) -> Caller:
    asked = Credentials(user_id=name, password="correct horse", device_name="laptop")

    def job(tx: Transaction) -> Caller:
        session = accounts.register(tx, asked, "hash", open_registration=True)
        return accounts.authenticate(tx, session.access_token)

    return await engine.write(job)


async def _measure(name: str, engine: Engine, senders: int, seconds: float) -> None:
    people = [await _join(engine, f"user{number}") for number in range(2 * senders)]
    jobs: list[int] = []
    engine.on_group(lambda count, _: jobs.append(count))
    numbers, waits = itertools.count(), []
    end = time.perf_counter() + seconds

    async def send(who: Caller, to: Caller) -> None:
        while (began := time.perf_counter()) < end:
            request = SendMessage(client_id=f"n{next(numbers)}", text="hello there, how are you?")
            job = partial(messages.send, caller=who, conversation_id=f"C2C{to.user_id}", request=request)
            await engine.write(job)
            waits.append(time.perf_counter() - began)

    await asyncio.gather(*(send(*pair) for pair in zip(people[::2], people[1::2], strict=True)))
    waits.sort()
    print(
        f"{name}: {len(waits) / seconds:.0f} messages/s, median {waits[len(waits) // 2] * 1000:.1f} ms,"
        f" p99 {waits[len(waits) * 99 // 100] * 1000:.1f} ms, {sum(jobs) / len(jobs):.1f} a transaction",
        flush=True,
    )
    await engine.close()


async def main() -> None:
    """Measure both, with one sender and with many."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--senders", type=int, default=64)
    parser.add_argument("--fsync", action="store_true", help="let PostgreSQL write to the disk as it does in earnest")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, postgres_server(fsync=given.fsync) as server:
        for senders in (1, given.senders):
            sqlite = await SqliteEngine.open(Path(directory) / f"{senders}.sqlite")
            await _measure(f"SQLite, {senders} senders", sqlite, senders, given.seconds)
            postgres = await PostgresEngine.open(server.new_database())
            await _measure(f"PostgreSQL, {senders} senders", postgres, senders, given.seconds)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
