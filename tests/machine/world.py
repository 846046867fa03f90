"""Users, their devices, the server and the network between, all at one time that passes when it is told to."""

import copy
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, Final
from unittest import mock

import msgspec
import websockets.asyncio.client

from tests.server.operations.stores import Store
from tui_chat.client import inquiry
from tui_chat.client.changes import Connection
from tui_chat.client.entries import QueuedSend
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.requests import (
    ConversationsDeleted,
    CreateGroup,
    DeleteConversations,
    SendMessage,
    SyncAnswer,
)
from tui_chat.server.operations.caller import Caller
from tui_chat.server.routes.endpoint import Call, Endpoint

from .at_rest import check_at_rest
from .device import Device
from .ledger import Clerk, Ledger, identifier
from .simulated_loop import SimulatedLoop
from .simulated_network import NONE, Switchboard
from .simulated_server import START, Backup, MemoryStore, SimulatedServer

DEVICES: Final = (("alice", "laptop"), ("alice", "phone"), ("alice", "tablet"), ("bob", "laptop"), ("bob", "phone"))
PEERS: Final = ("carol", "dave")
"""Who has no device here: what they do reaches the server at once."""
GROUPS: Final = ("plan", "club")
REST_SECONDS: Final = 200.0
"""Within so much simulated time everything comes to rest once the network is well."""


class World:
    """Everything, and what must be true of it.

    Arguments:
        seed: of the network's chances.
        told: whether other devices are told of deletions, at first.
        store: where the server's data are; SQLite in memory where none is given.
    """

    def __init__(self, seed: int, *, told: bool, store: Store | None = None):
        self.random = Random(seed)
        self.steps = 0
        self.skew = 0
        """Milliseconds by which the clock on the wall was put forward."""
        self.loop = SimulatedLoop()
        self.server = SimulatedServer(self.clock, store if store is not None else MemoryStore(START))
        self.clerk = Clerk(self.server, Ledger())
        self.server.witness = self
        self.switchboard = Switchboard()
        self._patches = (
            mock.patch.object(websockets.asyncio.client, "connect", self.switchboard.connect),
            mock.patch.object(inquiry, "SINGLY", 2),
        )
        for patch in self._patches:
            patch.start()
        self.callers: dict[int, Caller] = {}
        self.devices: list[Device] = []
        self.written = 0
        self.was_off = False
        """Whether deletions were ever not told."""
        self.seen: dict[str, dict[str, int]] = {}
        """By batchID: the newest messages that were on the screen when the deletion was confirmed."""
        self.backup: tuple[Backup, Ledger] | None = None
        self.carried_out: dict[tuple[str, str, bool], int] = {}
        """By device, conversation and whether it is a message: the number of the command that took effect last."""
        self.forgiven: set[str] = set()
        """Identifiers of commands that a restored backup may have lost."""
        for user_id, device_name in DEVICES:
            known = any(caller.user_id == user_id for caller in self.callers.values())
            enter = self.server.log_in if known else self.server.register
            caller = enter(user_id, device_name)
            self.callers.setdefault(caller.user, caller)
            chances = Random(self.random.random())
            self.devices.append(
                Device(
                    self.server,
                    self.switchboard,
                    caller,
                    chances,
                    self.loop.time,
                    self.cleared_through,
                    lambda user, name: max([0] + [one.cleared for one in self.ledger.side(user, name).shares]),
                )
            )
        self.peers = [self.server.register(user_id, "desk") for user_id in PEERS]
        self.callers |= {caller.user: caller for caller in self.peers}
        try:
            self.switch(sync=told)
            self._begin()
        except BaseException:
            self._let_go()
            raise

    @property
    def ledger(self) -> Ledger:
        """What was done so far."""
        return self.clerk.ledger

    def cleared_through(self, user: int, conversation_id: str) -> int:
        """Up to where a user's history of a conversation is cleared, by the rules."""
        side = self.ledger.sides.get((user, conversation_id))
        return side.cleared if side is not None else 0

    def clock(self) -> int:
        """Milliseconds since 1970."""
        return START + self.skew + int(self.loop.now * 1000)

    def _begin(self) -> None:
        bob = self.devices[3].caller
        carol, dave = self.peers
        self.server.ask(
            bob, "POST", "/v1/groups", CreateGroup(group_id="plan", name="plan", join="free", members=["alice", "dave"])
        )
        self.server.ask(
            carol,
            "POST",
            "/v1/groups",
            CreateGroup(group_id="club", name="club", join="free", members=["alice", "bob", "dave"]),
        )
        for who in (bob, carol, dave):
            self.write_as(who, "C2Calice")
        for device in self.devices:
            self.loop.call_soon(device.boot)
        self.settle()

    def close(self) -> None:
        """Let go of everything."""
        for device in self.devices:
            self.loop.do(device.shut_down())
        self.loop.pass_time(60.0)  # what is still under way
        self._let_go()

    def _let_go(self) -> None:
        for patch in self._patches:
            patch.stop()
        self.server.close()
        self.loop.close()

    # Doing

    def at_once(self, action: Callable[[], Any], seconds: float = 0.0) -> None:
        """Do something inside the loop, then let time pass, and see that nothing is wrong."""
        self.loop.call_soon(action)
        self.loop.pass_time(seconds)
        self.look()

    def look(self) -> None:
        """What must hold at any time."""
        if self.loop.failures:
            raise self.loop.failures[0].get("exception") or AssertionError(self.loop.failures[0]["message"])
        for device in self.devices:
            device.check()

    def write_as(self, who: Caller, conversation_id: str, mentions: Iterable[str] = ()) -> None:
        """Somebody without a device here says something; what is refused is refused."""
        self.written += 1
        text = f"m{self.written}"
        body = SendMessage(client_id=f"peer-{text}", text=text, mentions=list(mentions))
        self.ask_as(who, "POST", f"/v1/conversations/{conversation_id}/messages", body)

    def ask_as(self, who: Caller, method: str, path: str, body: msgspec.Struct | None = None) -> bool:
        """A request without a network between; whether it was carried out."""
        try:
            self.server.ask(who, method, path, body)
        except ChatError:
            return False
        return True

    def switch(self, *, sync: bool) -> None:
        """Whether other devices are told of deletions."""
        self.server.change_settings(sync_conversation_deletion=sync)
        self.was_off = self.was_off or not sync

    def back_up(self) -> None:
        """Keep the server's data as they are."""
        self.backup = (self.server.back_up(), copy.deepcopy(self.ledger))

    def restore_backup(self) -> None:
        """The server's data are again as they were: whatever was done since may be gone, or may be done again."""
        if self.backup is None:
            return
        for device in self.devices:
            device.link.cut()
            self.forgiven |= device.store.outbox.identifiers
            device.untold.clear()
            device.kept.clear()
        self.carried_out.clear()
        self.seen.clear()  # numbers are given out again: what was decided by those before must not be carried out
        data, ledger = self.backup
        self.server.restore(data)
        self.clerk.ledger = copy.deepcopy(ledger)
        self.backup = None

    def confirmed(self, device: Device, batch_id: str, ids: Iterable[str], up_to: Mapping[str, int] | None) -> None:
        """Somebody confirms that these are to be deleted, as they stand on the screen."""
        rows = device.core.state.conversations
        bounds = {name: rows[name].newest_seq for name in ids if name in rows}
        self.seen[batch_id] = bounds | {name: bound for name, bound in (up_to or {}).items() if name in bounds}

    # Witness

    def answered(self, caller: Caller, endpoint: Endpoint[Any, Any, Any], call: Call[Any, Any], answer: Any) -> None:
        """Pass it on; and note what devices learn, and what they are not told."""
        key = identifier(call)
        if key and not key.startswith("peer-") and key not in self.ledger.carried_out:
            known = any(key in device.store.outbox.identifiers for device in self.devices)
            assert known, f"{type(call.body).__name__} {key} arrives, which nobody has queued"
        first = key not in self.ledger.carried_out
        if endpoint.numbered and key and caller not in self.peers:
            self._by_present_numbers(key)
        self.clerk.answered(caller, endpoint, call, answer)
        if first and key and key not in self.ledger.refused_last and key not in self.forgiven:
            self._in_order(key)
        if first and isinstance(call.body, DeleteConversations) and isinstance(answer, ConversationsDeleted):
            self._not_told(caller, answer)
            self._only_what_was_seen(caller, answer)
        if isinstance(answer, SyncAnswer) and answer.reset is not msgspec.UNSET:
            for device in self.devices:
                if device.caller.device_id == caller.device_id:
                    device.snapshot_order = self.ledger.order

    def _by_present_numbers(self, key: str) -> None:
        """What names messages does it by the numbers that they have now: those of before a restored backup are other
        messages', which nobody had in mind. (A device may have another device_id than when it asked.)"""
        for device in self.devices:
            number = device.store.outbox.numbers.get(key)
            entry = device.store.outbox.ever[number] if number is not None else None
            if entry is None or (isinstance(entry, QueuedSend) and entry.reply_to is None):
                continue
            epoch = entry.seen_at.rpartition(":")[0]
            assert epoch == self.server.epoch, f"{device.name}: {key} is of {epoch}, carried out in {self.server.epoch}"

    def refused(
        self, caller: Caller, endpoint: Endpoint[Any, Any, Any], call: Call[Any, Any], error: ChatError
    ) -> None:
        """Pass it on."""
        self.clerk.refused(caller, endpoint, call, error)

    def _in_order(self, key: str) -> None:
        """Commands of a device for one conversation take effect in the order in which they were queued."""
        for device in self.devices:
            number = device.store.outbox.numbers.get(key)
            if number is not None:
                entry = device.store.outbox.ever[number]
                for conversation_id in entry.conversations():
                    # A message that a deletion was to take goes out after all, behind it, where that was refused.
                    place = device.name, conversation_id, isinstance(entry, QueuedSend)
                    assert number > self.carried_out.get(place, 0), f"{device.name}: {key} overtook what was before it"
                    self.carried_out[place] = number

    def _only_what_was_seen(self, caller: Caller, answer: ConversationsDeleted) -> None:
        """What came after a deletion was confirmed is kept, but for what the same person had written before."""
        bounds = self.seen.get(answer.batch_id, {})
        for conversation_id in bounds.keys() & set(answer.conversation_id_list):
            seen = bounds[conversation_id]
            share = self.ledger.side(caller.user, conversation_id).shares[-1]
            ((others,),) = self.server.store.rows(
                "SELECT COUNT(*) FROM message m JOIN state s ON s.conversation = m.conversation"
                " WHERE s.account = ? AND s.conversation_id = ? AND m.seq > ? AND m.seq <= ? AND m.sender <> ?",
                caller.user,
                conversation_id,
                seen,
                share.hidden,
                caller.user,
            )
            assert not others, f"{caller.user_id}: {conversation_id} is deleted through {share.hidden}, seen {seen}"

    def _not_told(self, caller: Caller, answer: ConversationsDeleted) -> None:
        if answer.synced:
            return
        newest = self.clerk.newest(caller.user)
        for device in self.devices:
            if device.caller.user != caller.user or device.caller.device_id == caller.device_id:
                continue
            for conversation_id in answer.conversation_id_list:
                hidden = self.ledger.side(caller.user, conversation_id).hidden >= newest[conversation_id]
                device.missed(conversation_id, self.ledger.order, hidden=hidden)

    # Coming to rest

    def settle(self) -> None:
        """Make the network well, wait until everything is done, and hold all of it against the rules."""
        before = [(device.link.up, device.link.faults) for device in self.devices]
        self.loop.call_soon(self._heal)
        end = self.loop.now + REST_SECONDS
        quiet = 0
        while quiet < 3:
            self.loop.pass_time(0.1)
            self.look()
            restless = self.restless()
            quiet = 0 if restless else quiet + 1
            if quiet == 1:
                self.loop.call_soon(self._ping)
            assert self.loop.now < end, f"no rest: {restless}"
            if restless and self.loop.now > end - REST_SECONDS + 5:
                self.loop.pass_time(5.0)
                self.loop.call_soon(self._ping)
        check_at_rest(self)
        for device, (up, faults) in zip(self.devices, before, strict=True):
            device.link.faults = faults
            if not up:
                device.link.go_down()

    def _heal(self) -> None:
        for device in self.devices:
            device.link.faults = NONE
            device.link.come_up()
            device.core.stream.reconnect_now()
            device.core.outbox.wake()

    def _ping(self) -> None:
        for device in self.devices:
            for socket in list(device.link.sockets):
                socket.ping()

    def restless(self) -> str:
        """What is not done yet; nothing where everything is."""
        for device in self.devices:
            core = device.core
            if core.connection is not Connection.CONNECTED or not device.link.sockets:
                return f"{device.name} is {core.connection}"
            if len(core.outbox.queue):
                return f"{device.name} has {[(slot.phase.value, slot.entry) for slot in core.outbox.queue]} queued"
            if device.link.busy or device.doing:
                return f"{device.name} waits for {device.link.busy} answers and {len(device.doing)} commands"
            if device.store.preference("inexact"):
                return f"{device.name} is about to ask how a conversation stands"
            newest = f"{self.server.epoch}:{self.server.position(device.caller.user)}"
            if core.state.cursor != newest:
                return f"{device.name} is at {core.state.cursor} of {newest}"
        return ""
