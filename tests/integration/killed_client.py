"""A real client that works until it is killed: `python -m tests.integration.killed_client CREDENTIALS CACHE SEED`.

CREDENTIALS is a file with the log-in as JSON. It sends, deletes with and without clearing, undoes, reads, loads history
and keeps drafts, several at once, and prints one line of JSON before each command and one after what it was promised:

    {"say": "begin", "what": "send", "conversation": …, "token": …}
    {"say": "done",  "what": "send", "token": …, "seq": 0 while it waits in the queue}
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec

from tui_chat.cache.account import AccountCache
from tui_chat.client.credentials import StoredCredentials
from tui_chat.client.session import ChatSession
from tui_chat.protocol.errors import ChatError

PEERS: Final = tuple(f"peer{number}" for number in range(6))
DRAFTED: Final = "C2Cpeer0"
"""Never deleted, so that its draft stays."""
SIDE_BY_SIDE: Final = 4
REWRITTEN_FROM: Final = 4_000
"""Bytes of records after which the account's file is rewritten: often, since that is when most can go wrong."""


def say(word: str, /, **facts: Any) -> None:
    """One line, in one call, so that a kill cuts between lines."""
    os.write(1, json.dumps({"say": word, **facts}).encode() + b"\n")


class Client:
    """Works on conversations that nobody else is working on just now."""

    def __init__(self, session: ChatSession, random: Random, seed: int):
        self._session = session
        self._random = random
        self._seed = seed
        self._number = 0
        self._busy: set[str] = set()
        self._batches: list[tuple[str, list[str]]] = []

    async def work(self) -> None:
        """For ever."""
        commands: list[tuple[int, Callable[[], Coroutine[Any, Any, None]]]] = [
            (8, self._send),
            (3, self._delete),
            (1, self._undo),
            (1, self._read),
            (2, self._page),
            (1, self._draft),
        ]
        weights = [weight for weight, _ in commands]
        while True:
            ((_, command),) = self._random.choices(commands, weights)
            try:
                await command()
            except ChatError as error:
                say("refused", code=error.code)
            await asyncio.sleep(self._random.random() * 0.02)

    def _free(self) -> list[str]:
        return [one for one in self._session.conversations if one not in self._busy]

    async def _send(self) -> None:
        name = f"C2C{self._random.choice(PEERS)}"
        if name in self._busy:
            return
        self._number += 1
        token = f"<s{self._seed:05d}-{self._number:05d}>"
        say("begin", what="send", conversation=name, token=token)
        message = await self._session.send_message(name, f"words {token} words")
        say("done", what="send", conversation=name, token=token, seq=message.message_seq)

    async def _delete(self) -> None:
        free = [one for one in self._free() if one != DRAFTED]
        names = self._random.sample(free, min(len(free), self._random.choice((1, 1, 2))))
        if not names:
            return
        self._busy |= set(names)
        batch, clear = f"b{self._seed}-{self._random.randrange(10**9)}", self._random.random() < 0.7
        seen = {name: self._session.conversations[name].newest_seq for name in names}
        say("begin", what="delete", batch=batch, clear=clear, seen=seen)
        try:
            answer = await self._session.delete_conversation(
                conversation_id_list=names, clear_history_message=clear, batch_id=batch, up_to=seen
            )
        finally:
            self._busy -= set(names)
        marks = self._session._core.state.marks_of
        cleared = {name: marks(name).cleared_through for name in answer.conversation_id_list} if clear else {}
        say("done", what="delete", batch=batch, cleared=cleared, queued=bool(answer.queued))
        self._batches.append((batch, names))

    async def _undo(self) -> None:
        if not self._batches:
            return
        batch, names = self._batches.pop()
        say("begin", what="undo", batch=batch, conversations=names)
        answer = await self._session.undo(batch)
        say("done", what="undo", batch=batch, queued=answer.queued)

    async def _read(self) -> None:
        if free := self._free():
            await self._session.mark_read(self._random.choice(free))

    async def _page(self) -> None:
        free = self._free()
        if not free:
            return
        name = self._random.choice(free)
        before: int | None = None
        for _ in range(self._random.randrange(1, 4)):
            page = await self._session.history(name, before=before, limit=20)
            if not page.messages or not page.more:
                return
            before = page.messages[0].message_seq

    async def _draft(self) -> None:
        self._number += 1
        text = f"draft {self._seed}-{self._number}"
        say("begin", what="draft", text=text)
        self._session.set_draft(DRAFTED, text)
        say("done", what="draft", text=text)


async def main(credentials: StoredCredentials, cache: Path, seed: int) -> None:
    """Until the end of the process."""
    session = ChatSession.resume(credentials, cache_directory=cache)
    store = session._core.store
    assert isinstance(store, AccountCache)
    store._storage._compact_from = store._storage._compact_at = REWRITTEN_FROM
    await session.start()
    say("ready")
    client = Client(session, Random(seed), seed)
    await asyncio.gather(*(client.work() for _ in range(SIDE_BY_SIDE)))


if __name__ == "__main__":
    stored = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=StoredCredentials)
    asyncio.run(main(stored, Path(sys.argv[2]), int(sys.argv[3])))
