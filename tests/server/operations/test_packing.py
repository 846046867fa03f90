"""Events of deletions are stored packed, and told as if they were not; what was stored otherwise is told as well."""

import msgspec
import pytest

from tui_chat.protocol.events import ConversationCleared, ConversationDeleted
from tui_chat.protocol.ids import SYSTEM
from tui_chat.server.operations.packing import unpack

from .world import Device, World


def packed_before(event: ConversationDeleted | ConversationCleared) -> str:
    """As the version before did."""
    return msgspec.json.encode(
        [
            isinstance(event, ConversationDeleted),
            [item.conversation_id for item in event.items],
            [item.hidden_through for item in event.items],
            [item.cleared_through for item in event.items],
            event.clear_history_message,
            event.operation_id,
            event.batch_id,
            event.undo_seconds,
            event.device.device_id,
            event.device.name,
        ]
    ).decode()


@pytest.mark.parametrize("what", ["delete", "keep", "clear"])
@pytest.mark.parametrize("numbers", ["alike", "different"])
def test_what_is_stored_is_what_was_told(
    world: World, alice: Device, bob: Device, carol: Device, what: str, numbers: str
) -> None:
    world.set(sync_conversation_deletion=True)
    names = ["C2Ccarol", "GROUPGROUPIES", "C2CGROUPER", "C2Cbob", SYSTEM]
    bob.create("GROUPIES", "Alice")
    for one in (bob, carol, world.join("GROUPER")):
        one.send("C2CAlice")
    if numbers == "different":
        bob.send("C2CAlice")
        alice.delete("C2Cbob", clear=False)
        bob.send("C2CAlice")
    alice.told()
    cursor = alice.cursor()
    if what == "clear":
        alice.clear(*names, operation_id="call")
    else:
        alice.delete(*names, clear=what == "delete", operation_id="call", batch_id="act")
    [told] = alice.told()
    assert isinstance(told, ConversationDeleted | ConversationCleared)
    assert [item.conversation_id for item in told.items] == names
    assert told.batch_id == ("call" if what == "clear" else "act")
    assert alice.replayed(cursor) == [told]
    event_seq, stored = world.rows(
        "SELECT seq, data FROM event WHERE account = ? ORDER BY seq DESC LIMIT 1", alice.caller.user
    )[0]
    for other in (msgspec.json.encode(told).decode(), packed_before(told)):
        assert len(stored) < len(other)
        world.change("UPDATE event SET data = ? WHERE account = ? AND seq = ?", other, alice.caller.user, event_seq)
        assert alice.replayed(cursor) == [told]
    assert unpack(stored) == msgspec.structs.replace(told, event_seq=0)


def test_a_long_list_takes_a_fifth_of_what_it_takes_on_the_wire(world: World, alice: Device) -> None:
    names = [f"C2C{world.join(f'user{number}').id}" for number in range(20)]
    for name in names:
        alice.send(name)
    alice.told()
    alice.delete(*names)
    [event] = alice.told()
    [(stored,)] = world.rows("SELECT data FROM event WHERE account = ? ORDER BY seq DESC LIMIT 1", alice.caller.user)
    assert len(stored) < len(msgspec.json.encode(event)) / 5
