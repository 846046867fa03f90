"""Events of deletions are stored packed, and told as if they were not; what was stored whole is told all the same."""

import msgspec
import pytest

from tui_chat.server.operations.packing import pack, unpack

from .world import Device, World


@pytest.mark.parametrize("what", ["delete", "keep", "clear"])
def test_what_is_stored_is_what_was_told(world: World, alice: Device, bob: Device, carol: Device, what: str) -> None:
    world.set(sync_conversation_deletion=True)
    for one in (bob, carol):
        one.send("C2CAlice")
    alice.told()
    cursor = alice.cursor()
    if what == "clear":
        alice.clear("C2Ccarol", "C2Cbob")
    else:
        alice.delete("C2Ccarol", "C2Cbob", clear=what == "delete")
    told = alice.told()
    assert len(told) == 1
    assert alice.replayed(cursor) == told
    event_seq = world.rows("SELECT MAX(seq) FROM event WHERE account = ?", alice.caller.user)[0][0]
    whole = msgspec.json.encode(told[0]).decode()  # as it was stored once
    world.change("UPDATE event SET data = ? WHERE account = ? AND seq = ?", whole, alice.caller.user, event_seq)
    assert alice.replayed(cursor) == told
    assert unpack(pack(told[0])) == msgspec.structs.replace(told[0], event_seq=0)


def test_a_long_list_takes_a_third_of_what_it_takes_on_the_wire(world: World, alice: Device) -> None:
    names = [f"C2C{world.join(f'user{number}').id}" for number in range(20)]
    for name in names:
        alice.send(name)
    alice.told()
    alice.delete(*names)
    [event] = alice.told()
    [(stored,)] = world.rows("SELECT data FROM event WHERE account = ? ORDER BY seq DESC LIMIT 1", alice.caller.user)
    assert len(stored) < len(msgspec.json.encode(event)) / 3
