"""What must hold once everything has come to rest: on the server, and on every device held against it."""

from typing import TYPE_CHECKING, Any

import msgspec

from tui_chat.client.entries import AnyEntry, QueuedClear, QueuedDeletion, QueuedSend
from tui_chat.protocol.models import Conversation, Membership, Message
from tui_chat.server.operations import messages
from tui_chat.server.operations.caller import Caller

from .device import Device
from .disk import HELD, identifier_of
from .screen import same_text
from .simulated_server import PAGE

if TYPE_CHECKING:
    from .world import World


def check_at_rest(world: "World") -> None:
    """Everything is as the rules have it. Where deletions were not always told, devices reload their state for it."""
    world.clerk.check(world.callers)
    _check_effects(world)
    truths = {user: world.clerk.listed(caller) for user, caller in world.callers.items()}
    for device in world.devices:
        _check_rows(device, truths[device.caller.user], all_told=not world.was_off)
    if world.was_off:
        for device in world.devices:
            world.loop.do(device.core.catch_up.reload())
        world.loop.pass_time(0.5)
        world.look()
        for device in world.devices:
            assert not device.core.state.stale, f"{device.name}: a reload leaves nothing stale"
            _compare(device, truths[device.caller.user])
    for device in world.devices:
        _check_history(world, device, truths[device.caller.user])


def _check_rows(device: Device, truth: dict[str, Conversation], *, all_told: bool) -> None:
    """As a fresh snapshot; where deletions were not told, plus copies of what others deleted."""
    rows = device.core.state.conversations
    if all_told:
        assert not device.core.state.stale, f"{device.name}: everything was told, and yet something is stale"
        _compare(device, truth)
        return
    extra = rows.keys() - truth.keys()
    assert extra <= device.untold.keys(), f"{device.name}: {extra - device.untold.keys()} should be gone"
    assert device.kept <= rows.keys(), f"{device.name}: {device.kept - rows.keys()} should have stayed"
    exact = truth.keys() - device.untold.keys()
    _compare(device, {name: truth[name] for name in exact}, {name: rows[name] for name in rows.keys() & exact})


def _compare(device: Device, truth: dict[str, Conversation], rows: dict[str, Conversation] | None = None) -> None:
    state = device.core.state
    found = state.conversations if rows is None else rows
    assert found.keys() == truth.keys(), f"{device.name} lists {sorted(found)}, true is {sorted(truth)}"
    for name, one in truth.items():
        shown, true = without_nick(found[name]), without_nick(one)
        assert shown == true, f"{device.name}: {name} (shown, true) {differing(shown, true)}"
    assert state.shown == state.conversations, f"{device.name} shows other than what is confirmed"
    assert device.store.conversations() == state.conversations, f"{device.name} stores other than what it shows"


def _check_history(world: "World", device: Device, truth: dict[str, Conversation]) -> None:
    """What is held is true and without a hole, and a page shows what the server has."""
    everything = {name: _visible(world, device.caller, name) for name in truth}
    told = {name for name, row in truth.items() if row.membership in (None, Membership.JOINED)}
    device.changed_screen.check_at_rest({name: everything[name] for name in told})
    for name, row in truth.items():
        true, visible = everything[name], list(everything[name])
        kept = device.store.history.tail(name, HELD)
        for one in kept if name in told and not device.core.doubt.of(name) else []:
            assert one.message_seq not in true or same_text(one, true[one.message_seq]), (
                f"{device.name}: {name} {one.message_seq} is held as {one}, true is {true[one.message_seq]}"
            )
        held = [message.message_seq for message in kept]
        span = [seq for seq in visible if held and held[0] <= seq <= held[-1]]
        assert held == span, f"{device.name}: {name} holds {held} of {visible}"
        if world.random.random() < 0.25:
            page = world.loop.do(device.core.pages.page(name, before=None, after=None, limit=PAGE))
            seqs = [message.message_seq for message in page.messages]
            assert seqs == visible[-PAGE:], f"{device.name}: a page of {name} has {seqs} of {visible}"
        assert row.message_count == len(visible), f"{name} of {device.name}"


def _visible(world: "World", caller: Caller, conversation_id: str) -> dict[int, Message]:
    def job(tx: Any) -> list[Message]:
        found: list[Message] = []
        while True:
            before = found[0].message_seq if found else None
            page = messages.page(tx, caller, conversation_id, before=before, limit=100)
            found = page.messages + found
            if not page.more:
                return found

    return {message.message_seq: message for message in world.server.engine.look(job)}


def _check_effects(world: "World") -> None:
    """Every command that was ever queued took effect once, was refused, or was taken out for a reason."""
    texts: dict[str, int] = {}
    for client_id, count in world.server.store.rows(
        "SELECT client_id, COUNT(*) FROM message WHERE client_id IS NOT NULL GROUP BY client_id"
    ):
        texts[client_id] = count
    assert set(texts.values()) <= {1}, "a message is in history once"
    for client_id in world.ledger.carried_out:
        if client_id.startswith("peer-"):
            assert client_id in texts, f"{client_id} was acknowledged and is not in history"
    for device in world.devices:
        entries = list(device.store.outbox.ever.items())
        for entry_id, entry in entries:
            key = identifier_of(entry)
            if not key or key in world.forgiven:
                continue
            done = key in world.ledger.carried_out
            if isinstance(entry, QueuedSend):
                assert done == (key in texts), f"{device.name}: {entry} was acknowledged and is not in history"
            if not done and key not in world.ledger.refused_last:
                assert _taken_out(entry_id, entry, entries, device), f"{device.name}: {entry} is lost"


def without_nick(row: Conversation) -> Conversation:
    """The row, whatever its last message's sender is called: with a new nick, old messages are not told anew."""
    last = row.last_message
    if last is None or last.nick is None:
        return row
    return msgspec.structs.replace(row, last_message=msgspec.structs.replace(last, nick=None))


def differing(shown: Conversation, true: Conversation) -> dict[str, tuple[Any, Any]]:
    """In which fields two rows are not alike."""
    pairs = {name: (getattr(shown, name), getattr(true, name)) for name in Conversation.__struct_fields__}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _taken_out(entry_id: int, entry: AnyEntry, entries: list[tuple[int, AnyEntry]], device: Device) -> bool:
    """A deletion drops what was not sent yet; an undo takes out what was not attempted."""
    if isinstance(entry, QueuedSend):
        return any(
            isinstance(other, QueuedDeletion) and later > entry_id and entry.conversation_id in other.conversations()
            for later, other in entries
        )
    return isinstance(entry, QueuedDeletion | QueuedClear) and entry.batch_id in device.undone
