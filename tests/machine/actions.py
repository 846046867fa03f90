"""What can happen: one function for each kind of step. What it does exactly, dice say."""

from collections.abc import Callable
from typing import Any, Final

from tui_chat.client import deleting, sending
from tui_chat.protocol.ids import new_identifier
from tui_chat.protocol.requests import AddMembers, ChangeGroup, ChangeMe, EditMessage, GroupCommand

from .dice import Dice, a_device, a_place, pause, places_of, seen_on_screen, some_conversations
from .simulated_network import MANY, NONE, SOME
from .world import GROUPS, World

Action = Callable[[World, Dice], None]


def peer_writes(world: World, dice: Dice) -> None:
    """Somebody elsewhere says something, to a user here or in a group."""
    who = world.peers[dice.below(2)]
    place = ("C2Calice", "C2Calice", "C2Cbob", "GROUPplan", "GROUPclub")[dice.below(5)]
    mentions = [[], [], ["alice"], ["alice", "bob"]][dice.below(4)]
    world.at_once(lambda: world.write_as(who, place, mentions), pause(dice))


def write(world: World, dice: Dice) -> None:
    """A person says something."""
    device = a_device(world, dice)
    place = a_place(device.caller.user_id, dice)
    world.written += 1
    text = f"m{world.written}"
    mentions = [[], [], ["alice"], ["bob"]][dice.below(4)]
    world.at_once(lambda: device.do(sending.send(device.core, place, text, mentions=mentions)), pause(dice))


def change(world: World, dice: Dice) -> None:
    """One of the newest messages gets another text, a reaction, or is taken back; where that is refused it is."""
    device = a_device(world, dice)
    rows = device.core.state.shown
    if not rows:
        return
    name = sorted(rows)[dice.below(len(rows))]
    seq = max(1, rows[name].newest_seq - dice.below(4))
    core = device.core
    world.written += 1
    text = f"e{world.written}"
    match dice.below(6):
        case 0 | 1 | 2:
            world.at_once(lambda: device.do(sending.edit(core, name, seq, text)), pause(dice))
        case 3:
            world.at_once(lambda: device.do(sending.recall(core, name, seq)), pause(dice))
        case kind:
            world.at_once(lambda: device.do(sending.react(core, name, seq, "👍", there=kind == 4)), pause(dice))


def peer_changes(world: World, dice: Dice) -> None:
    """Somebody elsewhere edits what they said, or takes it back."""
    who = world.peers[dice.below(2)]
    place = ("C2Calice", "C2Calice", "C2Cbob", "GROUPplan", "GROUPclub")[dice.below(5)]
    seq = max(1, world.clerk.newest(who.user).get(place, 1) - dice.below(4))
    path = f"/v1/conversations/{place}/messages/{seq}"
    world.written += 1
    if dice.below(3):
        edited = EditMessage(text=f"e{world.written}")
        world.at_once(lambda: world.ask_as(who, "PATCH", path, edited), pause(dice))
    else:
        world.at_once(lambda: world.ask_as(who, "DELETE", path), pause(dice))


def draft(world: World, dice: Dice) -> None:
    """Something is typed and left."""
    device = a_device(world, dice)
    place = a_place(device.caller.user_id, dice)
    world.written += 1
    text = f"d{world.written}" if dice.below(4) else ""

    def typed() -> None:
        device.drafts[place] = text
        if not text:
            del device.drafts[place]  # an undo may bring an older one back
        device.core.store.set_draft(place, text)

    world.at_once(typed, pause(dice))


def delete(world: World, dice: Dice) -> None:
    """Conversations are deleted, with their history or without."""
    device = a_device(world, dice)
    ids = some_conversations(device, dice)
    up_to = seen_on_screen(device, dice, ids)
    clear = dice.below(3) > 0
    batch_id = new_identifier()

    def begin() -> None:
        world.confirmed(device, batch_id, ids, up_to)
        device.do(deleting.delete(device.core, ids, clear_history_message=clear, up_to=up_to, batch_id=batch_id))

    world.at_once(begin, pause(dice))


def clear(world: World, dice: Dice) -> None:
    """Histories are cleared."""
    device = a_device(world, dice)
    ids = some_conversations(device, dice)
    up_to = seen_on_screen(device, dice, ids)
    world.at_once(lambda: device.do(deleting.clear(device.core, ids, up_to=up_to)), pause(dice))


def undo(world: World, dice: Dice) -> None:
    """A deletion is undone: the newest, or any, of this device or of another one."""
    device = a_device(world, dice)
    known = [batch_id for user, batch_id in world.ledger.batches if user == device.caller.user]
    batch_id = known[-1 - dice.below(min(4, len(known)))] if known and dice.below(2) else None

    def begin() -> None:
        candidates = deleting.undoable(device.core)
        chosen = batch_id or (candidates[0].batch_id if candidates else None)
        if chosen is not None:
            device.undone.add(chosen)
            device.do(deleting.undo(device.core, chosen))

    world.at_once(begin, pause(dice))


def erase(world: World, dice: Dice) -> None:
    """The time for undo is ended at once."""
    device = a_device(world, dice)
    known = [batch_id for user, batch_id in world.ledger.batches if user == device.caller.user]
    if known:
        batch_id = known[-1 - dice.below(min(4, len(known)))]
        world.at_once(lambda: device.do(device.core.calls.erase_deletion(batch_id)), pause(dice))


def read(world: World, dice: Dice) -> None:
    """A conversation is read, not always to its end."""
    device = a_device(world, dice)
    rows = device.core.state.shown
    if rows:
        name = sorted(rows)[dice.below(len(rows))]
        seq = max(0, rows[name].newest_seq - dice.below(3))
        world.at_once(lambda: device.do(sending.mark_read(device.core, name, seq)), pause(dice))


def flag(world: World, dice: Dice) -> None:
    """Pinned, muted, marked as unread, or not any more."""
    device = a_device(world, dice)
    ids = some_conversations(device, dice) if dice.below(3) else [a_place(device.caller.user_id, dice)]
    name = ("pinned", "pinned", "muted", "marked_unread")[dice.below(4)]
    given: dict[str, Any] = {name: dice.below(3) > 0}
    world.at_once(lambda: device.do(sending.set_flags(device.core, ids, **given)), pause(dice))


def look_at(world: World, dice: Dice) -> None:
    """A person looks at a conversation."""
    device = a_device(world, dice)
    place = a_place(device.caller.user_id, dice)
    row = device.core.state.shown.get(place)
    middle = 1 + dice.below(row.newest_seq + 1) if row is not None else 1
    before, after = ((None, None), (None, None), (middle, None), (None, middle))[dice.below(4)]
    limit = (2, 5, 50)[dice.below(3)]
    world.at_once(lambda: device.do(device.look_at(place, before, after, limit)), pause(dice))


def crowd(world: World, dice: Dice) -> None:
    """Everything at once in one conversation: somebody looks, somebody clears or deletes, somebody writes."""
    mine = a_device(world, dice)
    others = [one for one in world.devices if one.caller.user == mine.caller.user and one is not mine]
    other = others[dice.below(len(others))]
    place = a_place(mine.caller.user_id, dice)
    pauses = [(0.0, 0.005, 0.02, 0.05)[dice.below(4)] for _ in range(3)]
    clears, deletes, writes = (dice.below(3) > 0 for _ in range(3))
    if writes:
        world.written += 1
        text = f"m{world.written}"
        world.at_once(lambda: other.do(sending.send(other.core, place, text)), pauses[0])
    world.at_once(lambda: mine.do(mine.look_at(place, None, None, 50)), pauses[1])
    if clears:
        world.at_once(lambda: other.do(deleting.clear(other.core, [place])), pauses[2])
    if deletes:
        world.at_once(lambda: other.do(deleting.delete(other.core, [place], clear_history_message=True)), pauses[2])
    world.at_once(lambda: mine.do(mine.look_at(place, None, None, 50)), pause(dice))


def change_of_mind(world: World, dice: Dice) -> None:
    """A person pins a conversation, deletes it, decides about the pin once more or not, and undoes the deletion."""
    device = a_device(world, dice)
    place = a_place(device.caller.user_id, dice)
    decides, again = dice.below(2) > 0, dice.below(2) > 0
    batch_id = new_identifier()

    async def story() -> None:
        await sending.set_flags(device.core, [place], pinned=True)
        await deleting.delete(device.core, [place], clear_history_message=True, batch_id=batch_id)
        if decides:
            await sending.set_flags(device.core, [place], pinned=False)
        if again:
            await deleting.delete(device.core, [place], clear_history_message=False)
        device.undone.add(batch_id)
        await deleting.undo(device.core, batch_id)

    world.at_once(lambda: device.do(story()), pause(dice))


def network(world: World, dice: Dice) -> None:
    """A device's way to the server is cut, lost, found again, becomes worse or better."""
    device = a_device(world, dice)
    link = device.link

    def befall() -> None:
        match kind:
            case 0:
                link.cut()
            case 1 | 2:
                link.go_down()
            case 3 | 4 | 5:
                link.come_up()
                device.core.stream.reconnect_now()
            case 6:
                link.faults = NONE
            case 7:
                link.faults = SOME
            case _:
                link.faults = MANY

    kind = dice.below(9)
    world.at_once(befall, pause(dice))


def restart(world: World, dice: Dice) -> None:
    """A client ends, or its machine does, and begins again on its disk; perhaps as a new log-in on the old cache."""
    device = a_device(world, dice)
    how = dice.below(4)
    world.loop.do(device.shut_down())
    if how == 1:
        held = places_of(device.caller.user_id)
        device.store.lose_power(held[: dice.below(len(held) + 1)])
    if how == 2:
        device.link.cut()
        world.backup = None  # it does not know this log-in
        device.caller = world.server.log_in(device.caller.user_id, device.caller.device_name)
        device.untold = dict.fromkeys(places_of(device.caller.user_id), world.ledger.order + 1)
    device.kept.clear()
    world.at_once(device.boot, pause(dice))


def wait(world: World, dice: Dice) -> None:
    """Time passes, on the clock and for whatever waits."""
    world.at_once(lambda: None, (0.2, 1.0, 10.0, 60.0)[dice.below(4)])


def much_later(world: World, dice: Dice) -> None:
    """Machines slept: the clock is much later, and what is due is done."""
    world.skew += (1_000, 300_000, 601_000)[dice.below(3)]
    tidy = dice.below(2) > 0
    world.at_once(lambda: world.server.tidy() if tidy else None, pause(dice))


def switch(world: World, dice: Dice) -> None:
    """The administrator has devices told of deletions, or not; or changes the time for undo."""
    if not world.was_off:
        return undo_time(world, dice)
    sync = dice.below(2) > 0
    return world.at_once(lambda: world.switch(sync=sync), pause(dice))


def undo_time(world: World, dice: Dice) -> None:
    """Deletions can be undone for so long."""
    seconds = (0, 600, 600, 60)[dice.below(4)]
    world.at_once(lambda: world.server.change_settings(undo_seconds=seconds), pause(dice))


def come_or_go(world: World, dice: Dice) -> None:
    """Somebody joins a group, leaves it, is added, is removed."""
    group = GROUPS[dice.below(2)]
    owner = world.devices[3].caller if group == "plan" else world.peers[0]
    name = ("alice", "alice", "bob", "dave")[dice.below(4)]
    who = next(caller for caller in world.callers.values() if caller.user_id == name)
    requests: tuple[tuple[Any, str, str, Any], ...] = (
        (who, "POST", f"/v1/groups/{group}/join", GroupCommand()),
        (who, "POST", f"/v1/groups/{group}/quit", GroupCommand()),
        (owner, "POST", f"/v1/groups/{group}/members", AddMembers(members=[name])),
        (owner, "DELETE", f"/v1/groups/{group}/members/{name}", None),
    )
    request = requests[dice.below(4)]
    world.at_once(lambda: world.ask_as(*request), pause(dice))


def rename(world: World, dice: Dice) -> None:
    """A user or a group is called otherwise."""
    name = f"name{dice.below(3)}"
    if dice.below(2):
        who = world.peers[dice.below(2)]
        world.at_once(lambda: world.ask_as(who, "PATCH", "/v1/me", ChangeMe(nick=name)), pause(dice))
    else:
        request = (world.devices[3].caller, "PATCH", "/v1/groups/plan", ChangeGroup(name=name))
        world.at_once(lambda: world.ask_as(*request), pause(dice))


def trim(world: World, dice: Dice) -> None:
    """The log is cut short: whoever was away for longer must begin anew."""
    keep = (0, 3, 20)[dice.below(3)]
    world.at_once(lambda: world.server.trim(keep), pause(dice))


def back_up(world: World, dice: Dice) -> None:
    """A backup of the server is made."""
    world.at_once(world.back_up, pause(dice))


def restore_backup(world: World, dice: Dice) -> None:
    """The server's data are lost, and the backup is put in their place."""
    world.at_once(world.restore_backup, pause(dice))


def settle(world: World, dice: Dice) -> None:
    """Everything comes to rest, and is looked at."""
    world.settle()


WEIGHTS: Final[dict[Action, int]] = {
    peer_writes: 14,
    write: 8,
    change: 5,
    peer_changes: 3,
    draft: 3,
    delete: 9,
    clear: 4,
    undo: 7,
    erase: 1,
    read: 4,
    flag: 5,
    look_at: 6,
    crowd: 4,
    change_of_mind: 2,
    network: 10,
    restart: 3,
    wait: 3,
    much_later: 2,
    switch: 2,
    come_or_go: 5,
    rename: 1,
    trim: 1,
    back_up: 1,
    restore_backup: 1,
    settle: 1,
}
ACTIONS: Final[tuple[Action, ...]] = tuple(action for action, weight in WEIGHTS.items() for _ in range(weight))


def step(world: World, action: Action, dice: Dice) -> None:
    """One step."""
    world.steps += 1
    action(world, dice)
