"""Random walks over everything that can be done with a group: whatever comes about fits together."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.events import GroupChanged, MemberChanged, MessageNew, raw_event
from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.models import Membership
from tui_chat.server.engines import ToBeMade
from tui_chat.server.operations import crowdlog, groups

from .world import Device, World

NAMES = ("ann", "bob", "cat", "dan", "eve")
STEPS = 60
Step = Callable[[Random, Device, str], object]
DOINGS: tuple[Step, ...] = (
    lambda random, one, other: one.join_group("g"),
    lambda random, one, other: one.join_group("g"),
    lambda random, one, other: one.invite("g", other),
    lambda random, one, other: one.decide("g", other, accept=random.random() < 0.6),
    lambda random, one, other: one.decide("g", other, accept=random.random() < 0.6),
    lambda random, one, other: one.quit("g"),
    lambda random, one, other: one.kick("g", other),
    lambda random, one, other: one.set_role("g", other, random.choice(["admin", "member"])),
    lambda random, one, other: one.set_role("g", other, random.choice(["admin", "member"])),
    lambda random, one, other: one.transfer("g", other),
    lambda random, one, other: one.mute_all("g", random.random() < 0.4),
    lambda random, one, other: one.change_group("g", join=random.choice(["free", "approval", "closed"])),
    lambda random, one, other: one.send("GROUPg"),
    lambda random, one, other: one.send("GROUPg"),
    lambda random, one, other: one.delete("GROUPg"),
    lambda random, one, other: one.world.do(crowdlog.spread),
    lambda random, one, other: one.delete(SYSTEM),
)


@pytest.mark.parametrize("seed", range(25))
def test_a_walk(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path / "walk.db")
    random = Random(seed)
    people = {name: world.join(name) for name in NAMES}
    starts = {name: one.cursor() for name, one in people.items()}
    people["ann"].create("g", "bob", join=random.choice(["free", "approval", "closed"]))
    readable: dict[str, list[int]] = {name: [] for name in NAMES}
    reached = {name: one.cursor() for name, one in people.items()}
    done = 0
    for one in people.values():
        one.told()
    for _ in range(STEPS):
        one, other = random.choice(list(people.values())), random.choice(NAMES)
        try:
            random.choice(DOINGS)(random, one, other)
            done += 1
        except ChatError:
            pass
        check_group(world, people)
        check_periods(world, people, readable)
        check_replayed(people, reached)
    assert done > STEPS / 5
    for name, one in people.items():
        check_told(one, starts[name])
    owner = next((one for one in people.values() if role_of(one) == "owner"), None)
    assert owner is not None
    owner.dismiss("g")
    assert world.rows("SELECT * FROM application") == []
    assert world.rows("SELECT account FROM state WHERE membership = 1") == []
    world.close()


def check_group(world: World, people: dict[str, Device]) -> None:
    """One owner; as many members as are counted; nobody is in and waits."""
    joined = dict(world.rows("SELECT account, role FROM state WHERE membership = 1"))
    [(owner, count)] = world.rows("SELECT owner, member_count FROM chat_group")
    assert len(joined) == count
    assert [account for account, role in joined.items() if role == 2] == [owner]
    waiting = {account for (account,) in world.rows("SELECT account FROM application")}
    assert not waiting & joined.keys()
    member = next(one for one in people.values() if one.caller.user == owner)
    roles = member.members("g")
    group = world.do(groups.get, member.caller, "g")
    for one in people.values():
        if one.caller.user in joined:
            seen = one.get("GROUPg")
            assert (seen.role, seen.member_count, seen.muted_all) == (roles[one.id], count, group.muted)
            assert world.do(groups.get, one.caller, "g") == group


def check_periods(world: World, people: dict[str, Device], readable: dict[str, list[int]]) -> None:
    """Everybody reads what was written while they were in, and ever will; counts say the same."""
    for name, one in people.items():
        if not world.rows("SELECT 1 FROM state WHERE account = ? AND folded = 'groupg'", one.caller.user):
            continue
        shown = one.get("GROUPg")
        page = one.page("GROUPg", limit=100)
        seqs = [message.message_seq for message in page.messages]
        assert len(seqs) == shown.message_count
        before = [seq for seq in readable[name] if seq > page.cleared_through]
        assert seqs[: len(before)] == before, "what was visible stays so"
        if shown.membership is not Membership.JOINED:
            assert all(seq <= shown.newest_seq for seq in seqs)
            assert len(seqs) - len(before) <= 1, "of what comes after their time, the tip that ends it alone"
        readable[name] += seqs[len(before) :]


def check_replayed(people: dict[str, Device], reached: dict[str, str]) -> None:
    """Who comes back is told what those who were there were told, word for word, in whatever form it was kept."""
    for name, one in people.items():
        live = [event.raw() if isinstance(event, ToBeMade) else raw_event(event) for event in one.told()]
        if live:
            missed = one.sync(reached[name])
            assert [bytes(event) for event in missed.events] == [bytes(event) for event in live]
            reached[name] = missed.cursor


def check_told(one: Device, cursor: str) -> None:
    """Who follows events alone knows the group as it is, unless it was deleted: what is cleared is told no more."""
    events = [event for event in one.replayed(cursor) if isinstance(event, MessageNew | GroupChanged | MemberChanged)]
    shown = [event.conversation for event in events if event.conversation is not None]
    known = next((each for each in reversed(shown) if each.conversation_id == "GROUPg"), None)
    now = one.listed().get("GROUPg")
    if now is None:
        return
    assert known is not None
    assert (known.role, known.membership, known.member_count, known.muted_all) == (
        now.role,
        now.membership,
        now.member_count,
        now.muted_all,
    )


def role_of(one: Device) -> str | None:
    try:
        seen = one.get("GROUPg")
    except ChatError:
        return None
    return seen.role if seen.membership is Membership.JOINED else None
