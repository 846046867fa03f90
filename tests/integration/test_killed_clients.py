"""Clients killed at any moment, against a server that is a process as well: what is left opens, and nothing that was
promised is gone, done twice, or back from the dead."""

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import pytest

from tests.accounts import DEADLINE, Device, People
from tests.client.sessions import eventually
from tests.integration.killed_client import DRAFTED, PEERS
from tests.proxy import Proxy, proxy_to
from tests.servers import ServerProcess
from tui_chat.cache.account import AccountCache
from tui_chat.client.credentials import StoredCredentials
from tui_chat.client.session import ChatSession
from tui_chat.protocol.wire import encode

TOKEN: Final = re.compile(rb"<[si]\d+-\d+>")
CHECKED_EVERY: Final = 4
"""Rounds: between the checks with a session the next client begins on what the killed one left."""
MOST_LINES: Final = 40
"""A client that has started is killed before it has said so many words more."""

Line = dict[str, Any]


class Killed:
    """One account whose clients are killed, its peers, and what it was promised so far."""

    def __init__(self, directory: Path, people: People, proxy: Proxy, server_url: str, random: Random):
        self.cache = directory / "cache"
        self._random = random
        self._proxy = proxy
        self._people = people
        self._numbers = iter(range(10**9))
        self._alice = people.register("alice")
        self._peers = {f"C2C{name}": people.register(name) for name in PEERS}
        self.credentials = StoredCredentials(
            server_url=server_url,
            user_id="alice",
            device_id=self._alice.device_id,
            device_name="laptop",
            access_token=self._alice.access_token,
            refresh_token=self._alice.refresh_token,
            expires_at=2**52,
        )
        self._credentials_file = directory / "credentials.json"
        by_proxy = msgspec.structs.replace(self.credentials, server_url=proxy.url)
        self._credentials_file.write_bytes(encode(by_proxy))
        for peer in self._peers.values():
            self._say_something(peer)
        self._told: dict[str, list[tuple[int, str]]] = {name: [] for name in self._peers}
        """Everything that was ever said in a conversation, as the peer's own history has it: (messageSeq, text)."""
        self.begun: Counter[str] = Counter()
        """What happened at all, so that a test can tell that it tested something."""
        self._sent: dict[str, tuple[str, int]] = {}
        self._must_arrive: dict[str, tuple[str, bool]] = {}
        """Queued: its conversation, and whether it was attempted already."""
        self._deletions: dict[str, Line] = {}
        self._must_be_deleted: set[str] = set()
        self._cleared: dict[str, tuple[int, str]] = {}
        self._bounds: dict[str, int] = {}
        self._drafts = [""]
        """The draft that must be there, and those that were begun after it, of which any may be there instead."""

    # A client's life

    async def run_and_kill(self, seed: int) -> None:
        """Start a client, let it work for a moment, sometimes without the server, kill it, note what it said."""
        offline = self._random.random() < 0.3
        if offline:
            await self._proxy.stop()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.killed_client", self._credentials_file, self.cache, str(seed),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        lines = []
        try:
            starts = self._random.random() < 0.85  # otherwise it dies while it does
            if starts:
                lines.append(await asyncio.wait_for(process.stdout.readline(), 3 * DEADLINE))
            for _ in range(self._random.randrange(3)):
                await asyncio.to_thread(self._say_something, self._random.choice(list(self._peers.values())))
            # The moment is what is random here: counted in what it does, so that a busy machine kills none too early.
            if starts:
                for _ in range(self._random.randrange(MOST_LINES)):
                    lines.append(await asyncio.wait_for(process.stdout.readline(), 3 * DEADLINE))
            await asyncio.sleep(self._random.uniform(0, 0.05 if starts else 0.7))
            if offline:
                await self._proxy.start()
                await asyncio.sleep(self._random.choice((0, 0.3)))
        finally:
            assert process.returncode is None, "the client ended by itself"
            process.kill()
            lines += (await process.stdout.read()).splitlines(keepends=True)
            await process.wait()
        for line in lines:
            self._note(json.loads(line))

    def _say_something(self, peer: Device) -> None:
        peer.send("C2Calice", f"listen <i0-{next(self._numbers):06d}> please")

    def _note(self, line: Line) -> None:
        match line:
            case {"say": "begin", "what": "delete", "batch": batch}:
                self._deletions[batch] = line
                for name, seen in line["seen"].items():
                    self._bounds[name] = max(seen, self._bounds.get(name, 0))
                    self._cleared.pop(name, None)
                    self._need_not_arrive(name)
            case {"say": "done", "what": "delete", "batch": batch, "cleared": cleared}:
                self._must_be_deleted.add(batch)
                self._cleared |= {name: (through, batch) for name, through in cleared.items()}
            case {"say": "begin", "what": "undo", "batch": batch, "conversations": names}:
                self._must_be_deleted.discard(batch)  # undone before it was sent, it never happens
                for name in names:
                    self._cleared.pop(name, None)
            case {"say": "done", "what": "send", "token": token, "conversation": name, "seq": seq}:
                if seq:
                    self._sent[token] = name, seq
            case {"say": "begin", "what": "draft", "text": text}:
                self._drafts.append(text)
            case {"say": "done", "what": "draft", "text": text}:
                self._drafts = [text]
        self.begun[f"{line['say']} {line.get('what', '')}".strip()] += 1

    # What is left

    def look(self) -> None:
        """Open the cache without a server: all is there that a killed process had written, nothing that was purged."""
        if not self.cache.exists():
            return
        cache = AccountCache.open(self.cache)
        try:
            assert cache.recovered is None
            found = cache.draft(DRAFTED)
            assert found in self._drafts
            self._drafts = [found]
            queued = [entry for _, entry in cache.outbox.all()]
        finally:
            cache.close()
        for entry in queued:
            self._note_queued(entry)
        # A command that is still in the queue keeps its text, also of a message that was sent and cleared: the client
        # was killed before it knew. `check` looks once more when the queue is empty.
        kept = {token.decode() for entry in queued for token in TOKEN.findall(entry.get("text", "").encode())}
        present = {token: files for token, files in self._tokens_on_disk().items() if token not in kept}
        for name, (through, _) in self._cleared.items():
            self._assert_gone(present, name, through)

    def _note_queued(self, entry: Line) -> None:
        """A command that was stored takes effect, whatever happens."""
        self.begun["queued " + entry["what"]] += 1
        if entry["what"] == "send":
            (token,) = TOKEN.findall(entry["text"].encode())
            self._must_arrive[token.decode()] = entry["conversationID"], entry["attempted"]
        elif entry["what"] == "delete":
            self._must_be_deleted.add(entry["batchID"])
            for name in entry["conversationIDList"]:
                self._need_not_arrive(name)

    def _need_not_arrive(self, name: str) -> None:
        """A deletion takes with it what was queued before it and never attempted."""
        kept = {token: of for token, of in self._must_arrive.items() if of[0] != name or of[1]}
        self._must_arrive = kept

    async def check(self) -> None:
        """Let a session come into step, and hold everything against the server's truth."""
        session = ChatSession.resume(self.credentials, cache_directory=self.cache)
        try:
            await session.start()
            await session.wait_until_current(timeout=DEADLINE)
            queue = session._core.outbox.queue  # also what is confirmed and waits for its event, and stands on the disk
            await eventually(lambda: not len(queue), "the queue is not worked off", deadline=3 * DEADLINE)
            await eventually(lambda: self._rows(session) == self._alice_rows(), "the rows are not the server's")
            for name in session.conversations:
                await self._check_history(session, name)
        finally:
            await session.close()
        self._check_sends()
        self._check_deletions()
        present = self._tokens_on_disk()
        for name in self._peers:
            through = self._alice.conversation(name)["clearedThrough"]
            bound = self._bounds.get(name, 0)  # and one's own messages that stood there as echoes
            unseen = {token for seq, token in self._all_said(name) if bound < seq <= through and token[1] == "i"}
            assert not unseen, f"cleared without having been on the screen: {name}"
            self._assert_gone(present, name, through)

    @staticmethod
    def _rows(session: ChatSession) -> dict[str, Any]:
        return {name: json.loads(encode(row)) for name, row in session.conversations.items()}

    def _alice_rows(self) -> dict[str, Any]:
        return self._alice.conversations()

    async def _check_history(self, session: ChatSession, name: str) -> None:
        """What is cached is a part of what was said, without a hole; what is read is the end of it.

        The end need not be cached: a state that came anew, and an undo, bring rows without their messages.
        """
        held = [(one.message_seq, one.text) for one in session.cached_tail(name, 10_000)]
        cleared = session.conversations[name].cleared_through
        said = [(seq, text) for seq, text in self._said(name) if seq > cleared]
        if held:
            first, last = held[0][0], held[-1][0]
            assert held == [one for one in said if first <= one[0] <= last], f"{name} is cached with a hole"
        page = await session.history(name, limit=50)
        assert [(one.message_seq, one.text) for one in page.messages] == said[-50:]

    def _check_sends(self) -> None:
        counts = Counter(token for name in self._peers for _, token in self._all_said(name))
        assert max(counts.values()) == 1, f"sent twice: {[token for token, count in counts.items() if count > 1]}"
        for token, (name, seq) in self._sent.items():
            assert (seq, token) in self._all_said(name), f"acknowledged and gone: {token}"
        for token, (name, _) in self._must_arrive.items():
            assert token in {said for _, said in self._all_said(name)}, f"queued and never sent: {token}"
        self._must_arrive.clear()

    def _check_deletions(self) -> None:
        logged = Counter[str]()
        sizes: dict[str, int] = {}
        for entry in self._alice.get("/v1/conversations/deletions")["deletions"]:
            logged[entry["batchID"]] += 1
            sizes[entry["batchID"]] = entry["count"]
        assert max(logged.values(), default=1) == 1
        assert not self._must_be_deleted - logged.keys(), "queued or acknowledged, and never done"
        self._must_be_deleted.clear()  # the log has the newest alone, and drops these some time
        for batch, size in sizes.items():
            assert size == len(self._deletions[batch]["seen"]), f"done twice: {batch}"

    # The truth

    def _said(self, name: str) -> list[tuple[int, str]]:
        """All that was ever said; a peer never clears."""
        said = self._told[name]
        while True:
            after = said[-1][0] if said else 0
            page = self._peers[name].history("C2Calice", after=after, limit=100)
            said += [(message["messageSeq"], message["text"]) for message in page]
            if len(page) < 100:
                return said

    def _all_said(self, name: str) -> list[tuple[int, str]]:
        return [(seq, _token(text)) for seq, text in self._said(name)]

    def _assert_gone(self, present: dict[str, list[str]], name: str, through: int) -> None:
        gone = {token for seq, token in self._all_said(name) if seq <= through}
        left = {token: files for token, files in present.items() if token in gone}
        assert not left, f"cleared in {name}, and still on the disk"

    def _tokens_on_disk(self) -> dict[str, list[str]]:
        """Every token that any byte of the cache has, and the files in which it stands."""
        found: dict[str, list[str]] = {}
        for path in sorted(path for path in self.cache.rglob("*") if path.is_file()):
            for token in set(TOKEN.findall(path.read_bytes())):
                found.setdefault(token.decode(), []).append(path.name)
        return found


def _token(text: str) -> str:
    (token,) = TOKEN.findall(text.encode())
    return str(token, "ascii")


@asynccontextmanager
async def killed_clients(directory: Path, server: ServerProcess, seed: int) -> AsyncIterator[Killed]:
    """An account at a server, with peers and a way to the server that can be closed."""
    people = People(server.url)
    try:
        async with proxy_to(server.url) as proxy:
            yield Killed(directory, people, proxy, server.url, Random(seed))
    finally:
        people.close()


async def kill_often(directory: Path, server: ServerProcess, *, times: int, seed: int) -> Counter[str]:
    """Kill so many clients one after the other, looking at what each leaves. Returns what they did in all."""
    async with killed_clients(directory, server, seed) as killed:
        for turn in range(1, times + 1):
            await killed.run_and_kill(seed * 1_000 + turn)
            await asyncio.to_thread(killed.look)
            if turn % CHECKED_EVERY == 0 or turn == times:
                await killed.check()
        return killed.begun


def _happened(begun: Counter[str], kinds: Iterable[str]) -> None:
    assert not [kind for kind in kinds if not begun[kind]], f"not everything was tried: {begun}"


async def test_a_few_killed_clients_lose_and_repeat_nothing(tmp_path: Path, server_process: ServerProcess) -> None:
    begun = await kill_often(tmp_path, server_process, times=3, seed=1)
    _happened(begun, ["ready", "begin send"])


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_thirty_killed_clients_lose_and_repeat_nothing(tmp_path: Path, server_process: ServerProcess) -> None:
    begun = await kill_often(tmp_path, server_process, times=30, seed=2)
    _happened(begun, ["done send", "done delete", "done undo", "done draft", "queued send", "queued delete"])


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_three_hundred_killed_clients_lose_and_repeat_nothing(
    tmp_path: Path, server_process: ServerProcess
) -> None:
    begun = await kill_often(tmp_path, server_process, times=300, seed=3)
    _happened(begun, ["done send", "done delete", "done undo", "done draft", "queued send", "queued delete"])
    print(dict(begun))
