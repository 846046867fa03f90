"""What must hold of every history, whatever befell the servers meanwhile. Pure.

Each rule has a name, under which `violations` reports it; RULES says what they are. After Jepsen: operations with the
times of their calls and answers, what clients saw, and how it stood in the end, are held against each other.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from .facts import Facts, named, raised
from .records import Delete, DeviceLog, Heard, History, Json, Listing, Mark, Page, Restore, Send, room_of
from .replica import Replica


class Violation(NamedTuple):
    """A rule that was broken, and where."""

    rule: str
    what: str


Rule = Callable[[Facts], Iterator[str]]


# What is stored


def once(facts: Facts) -> Iterator[str]:
    """Each acknowledged message is stored once, where its sender was told; each other one at most once; no other is."""
    counts = Counter((one.sender, one.client_id) for one in facts.history.stored if one.client_id is not None)
    sends = {(act.user, act.name): act for act in facts.acts(Send)}
    for key, count in counts.items():
        if count > 1:
            yield f"{key} is stored {count} times"
        if key not in sends:
            yield f"{key} is stored, and nobody sent it"
        elif sends[key].refused is not None:
            yield f"{key} is stored, and was refused: {sends[key].refused}"
    for act in facts.acts(Send):  # the same one may have been asked for on two servers at once
        if not act.acknowledged:
            continue
        key, told = (act.user, act.name), (room_of(act.user, act.conversation_id), act.message_seq)
        if key not in counts:
            yield f"{key} was acknowledged and is lost"
        elif facts.places[key] != told:
            yield f"{key} was acknowledged as {told} and stands at {facts.places[key]}"


def numbered(facts: Facts) -> Iterator[str]:
    """Messages of a conversation have the numbers from 1 on, none twice, none left out."""
    rooms: dict[str, list[int]] = defaultdict(list)
    for one in facts.history.stored:
        rooms[one.room].append(one.seq)
    for room, seqs in rooms.items():
        if sorted(seqs) != list(range(1, len(seqs) + 1)):
            yield f"{room} has the numbers {_shown(sorted(seqs))}"


def counted(facts: Facts) -> Iterator[str]:
    """A user's log has every number as far as it is counted: one that is missing was another one's as well."""
    for user, log in facts.history.logs.items():
        if log.numbers != list(range(log.floor + 1, log.newest + 1)):
            yield f"{user}'s log has {_shown(log.numbers)} of {log.floor + 1}–{log.newest}"


def in_order(facts: Facts) -> Iterator[str]:
    """What was sent after another message was acknowledged comes after it."""
    rooms: dict[str, list[Send]] = defaultdict(list)
    for act in facts.acts(Send):
        if act.acknowledged:
            rooms[room_of(act.user, act.conversation_id)].append(act)
    for room, sends in rooms.items():
        by_end = sorted(sends, key=lambda act: act.ended or 0.0)
        highest, ended = 0, 0
        for act in sorted(sends, key=lambda act: act.began):
            while ended < len(by_end) and (by_end[ended].ended or 0.0) < act.began:
                highest = max(highest, by_end[ended].message_seq)
                ended += 1
            if act.message_seq < highest:
                yield f"{room}: {act.name} is {act.message_seq}, and began after {highest} was acknowledged"


# What devices hear


def contiguous(facts: Facts) -> Iterator[str]:
    """Over each connection a device hears ranges that follow each other, and ascending events within them."""
    for log in facts.history.devices:
        reached: dict[int, int] = {}
        for heard in log.heard:
            before = reached.get(heard.line, heard.since)
            if heard.first != before + 1 or heard.last < before:
                yield f"{log.device}: {heard.first}–{heard.last} follows {before} on line {heard.line}"
            reached[heard.line] = heard.last
            numbers = [event["eventSeq"] for event in heard.events]
            if numbers != sorted(set(numbers)) or any(not heard.first <= one <= heard.last for one in numbers):
                yield f"{log.device}: {heard.first}–{heard.last} has the events {numbers}"


def level(facts: Facts) -> Iterator[str]:
    """In the end every device has heard everything."""
    for log, replica in _replayed(facts):
        newest = facts.truth(log.user).position
        if replica.position != newest:
            yield f"{log.device} ends at {replica.position} of {newest}"


def the_same_for_all(facts: Facts) -> Iterator[str]:
    """An eventSeq is the same event for every device and every time; messages come in the order of their numbers, and
    none comes under two eventSeqs."""
    for user, events in facts.events.items():
        newest: dict[str, int] = {}
        for event_seq in sorted(events):
            kinds = {_identity(event) for _, event in events[event_seq]}
            if len(kinds) > 1:
                yield f"{user}: event {event_seq} is {sorted(map(str, kinds))}"
            event = events[event_seq][0][1]
            if event["kind"] == "message.new":
                name, seq = event["message"]["conversationID"], event["message"]["messageSeq"]
                if seq <= newest.get(name, 0):
                    yield f"{user}: event {event_seq} brings {seq} of {name} after {newest[name]}"
                newest[name] = max(seq, newest.get(name, 0))


def told(facts: Facts) -> Iterator[str]:
    """Each stored message is told to each device of each member, unless it was cleared when the device heard of that
    part of its log; and as it was sent."""
    numbers: dict[tuple[str, str, int], int] = {}
    for user, events in facts.events.items():
        for event_seq, times in events.items():
            event = times[0][1]
            if event["kind"] == "message.new":
                room = room_of(user, event["message"]["conversationID"])
                numbers.setdefault((user, room, event["message"]["messageSeq"]), event_seq)
    for log in facts.history.devices:
        messages = {
            (room_of(log.user, event["message"]["conversationID"]), event["message"]["messageSeq"]): event["message"]
            for heard in log.heard
            for event in heard.events
            if event["kind"] == "message.new"
        }
        end = max((heard.at for heard in log.heard), default=0.0)
        for one in facts.history.stored:
            if one.seq < facts.history.members[one.room].get(log.user, one.seq + 1):
                continue
            message = messages.get((one.room, one.seq))
            if message is None:
                number = numbers.get((log.user, one.room, one.seq), 0)
                at = next((heard.at for heard in log.heard if heard.first <= number <= heard.last), end)
                if one.seq > facts.perhaps(log.user, named(log.user, one.room), at, at)[1]:
                    yield f"{log.device} was never told {one.seq} of {one.room}"
            elif (message["from"], message["clientID"]) != (one.sender, one.client_id) and one.client_id is not None:
                yield f"{log.device} was told {one.seq} of {one.room} as {message['clientID']}, not {one.client_id}"


def deletions_told(facts: Facts) -> Iterator[str]:
    """Of each acknowledged deletion every conversation is told once, the last under the eventSeq that was answered:
    to the device itself, and to the others where a watermark surely moved."""
    for user, events in facts.events.items():
        told_as: dict[tuple[str, str], set[int]] = defaultdict(set)
        heard_by: dict[tuple[str, str], set[str]] = defaultdict(set)
        for event_seq, times in events.items():
            for device, event in times:
                if event["kind"] in ("conversation.deleted", "conversation.cleared"):
                    for item in event["items"]:
                        told_as[event["operationID"], item["conversationID"]].add(event_seq)
                        heard_by[event["operationID"], item["conversationID"]].add(device)
        devices = {log.device for log in facts.history.devices if log.user == user}
        for act in facts.acts(Delete):
            if act.user != user or not act.acknowledged:
                continue
            numbers = [told_as[act.name, name] for name in act.up_to]
            if any(len(one) != 1 for one in numbers) or max(map(max, numbers)) != act.event_seq:
                yield f"{user}: {act.name} was answered as {act.event_seq} and told as {numbers}"
            for name in act.up_to:
                heard = heard_by[act.name, name]
                if act.device not in heard:
                    yield f"{act.device} was not told of its own {act.name} of {name}"
                elif _moves(facts, act, name) and heard != devices:
                    yield f"{user}: {sorted(devices - heard)} not told of {act.name} of {name}"


def equal_to_a_snapshot(facts: Facts) -> Iterator[str]:
    """Who applied all that was heard has the list that is fresh from the server."""
    for log, replica in _replayed(facts):
        truth = facts.truth(log.user)
        for name in replica.rows.keys() | truth.rows.keys():
            mine, true = replica.rows.get(name), truth.rows.get(name)
            if true is None:
                if mine is not None and mine.listed:
                    yield f"{log.device} lists {name}, which the server does not: {mine}"
            elif mine is None or not mine.agrees(true):
                yield f"{log.device}: {name} is {mine}, true is {true}"


# What is seen


def stays_cleared(facts: Facts) -> Iterator[str]:
    """Nothing that a user cleared is shown again: not to a device that was told, not to one that looks after the
    clearing was acknowledged anywhere, unless its undo was asked for."""
    for log, replica in _replayed(facts):
        for line in replica.risen:
            yield f"{log.device}: {line}, which was cleared"
    for act in facts.acts(Page):
        if act.ended is None or act.refused is not None:
            continue
        _, cleared = facts.surely(act.user, act.conversation_id, act.began, act.ended)
        shown = [seq for seq in act.seqs if seq <= cleared]
        if shown:
            yield f"{act.device} saw {_shown(shown)} of {act.conversation_id}, cleared through {cleared}"


def nothing_missing(facts: Facts) -> Iterator[str]:
    """Who looks sees what was acknowledged before, on whichever server."""
    sends: dict[str, list[Send]] = defaultdict(list)
    for act in facts.acts(Send):
        if act.acknowledged:
            sends[room_of(act.user, act.conversation_id)].append(act)
    for page in facts.acts(Page):
        if page.ended is None or page.refused is not None:
            continue
        room = room_of(page.user, page.conversation_id)
        _, cleared = facts.perhaps(page.user, page.conversation_id, page.began, page.ended)
        first = min(page.seqs, default=0) if page.more else 0
        seen = set(page.seqs)
        for act in sends[room]:
            known = (act.ended or 0.0) < page.began and act.message_seq > max(cleared, first)
            if known and act.message_seq not in seen:
                yield f"{page.device} did not see {act.message_seq} of {room} in {_shown(page.seqs)}"


def listed_if_newer(facts: Facts) -> Iterator[str]:
    """A conversation is listed if and only if there is something newer than its deletions, in the end and meanwhile."""
    for look in facts.acts(Listing):
        if look.ended is None or look.refused is not None:
            continue
        for room, members in facts.history.members.items():
            if look.user not in members:
                continue
            name = named(look.user, room)
            sure, _ = facts.surely(look.user, name, look.began, look.ended)
            most, _ = facts.perhaps(look.user, name, look.began, look.ended)
            there = look.newest.get(name)
            if there is not None and there <= sure:
                yield f"{look.device} lists {name} with {there}, deleted through {sure}"
            if there is None and facts.acknowledged(room, look.began) > most:
                yield f"{look.device} does not list {name}, deleted through {most} at most"
    for snapshot in facts.history.snapshots:
        for name, (hidden, _) in snapshot.marks.items():
            newest = facts.newest.get(room_of(snapshot.user, name), 0)
            if (name in snapshot.rows) != (newest > hidden):
                has = "lists" if name in snapshot.rows else "does not list"
                yield f"{snapshot.server} {has} {snapshot.user}'s {name}: {newest}, deleted through {hidden}"


def watermarks(facts: Facts) -> Iterator[str]:
    """In the end the watermarks are the highest of what was not undone, and what is seen is all above them."""
    for snapshot in facts.history.snapshots:
        for name, marks in snapshot.marks.items():
            mine = facts.deletions[snapshot.user, name]
            if any(act.ended is None for act in mine) or any(
                one.ended is None for act in mine for one in facts.restores.get(act.batch, ())
            ):
                continue  # whether it happened, nobody knows
            true = (0, 0)
            for act in mine:
                if act.batch not in facts.restores:
                    true = raised(act, name, *true)
            if marks != true:
                yield f"{snapshot.user}'s {name} is hidden and cleared through {marks}, should be {true}"
        for name, seqs in snapshot.histories.items():
            room = room_of(snapshot.user, name)
            first = max(snapshot.marks[name][1] + 1, facts.history.members[room][snapshot.user])
            visible = list(range(first, facts.newest.get(room, 0) + 1))
            if seqs != visible:
                yield f"{snapshot.user}'s {name} shows {_shown(seqs)} on {snapshot.server}, should be {_shown(visible)}"


def read_marks(facts: Facts) -> Iterator[str]:
    """Who has read, or written, has read so far in the end; nobody has read what is not there."""
    reached: dict[tuple[str, str], int] = defaultdict(int)
    acts: list[Mark | Send] = [*facts.acts(Mark), *facts.acts(Send)]
    for act in acts:
        if act.acknowledged:
            at = act.user, act.conversation_id
            reached[at] = max(reached[at], act.message_seq)
    for snapshot in facts.history.snapshots:
        for name, row in snapshot.rows.items():
            least, most = reached[snapshot.user, name], row["newestSeq"]
            if not least <= row["readSeq"] <= most:
                yield f"{snapshot.user} has read {name} through {row['readSeq']}, should be {least} to {most}"


def undone(facts: Facts) -> Iterator[str]:
    """What was acknowledged and can still be undone is undone when somebody asks."""
    acknowledged = {act.batch for act in facts.acts(Delete) if act.acknowledged}
    for act in facts.acts(Restore):
        if act.refused is not None and act.batch in acknowledged:
            yield f"{act.user} could not undo {act.batch}: {act.refused}"


def one_truth(facts: Facts) -> Iterator[str]:
    """All servers say the same."""
    for snapshot in facts.history.snapshots:
        truth = facts.truth(snapshot.user)
        if replace(snapshot, server=truth.server) != truth:
            yield f"{snapshot.user} is told otherwise by {snapshot.server} than by {truth.server}"


RULES: Final[dict[str, Rule]] = {
    rule.__name__: rule
    for rule in (
        once,
        numbered,
        counted,
        in_order,
        contiguous,
        level,
        the_same_for_all,
        told,
        deletions_told,
        equal_to_a_snapshot,
        stays_cleared,
        nothing_missing,
        listed_if_newer,
        watermarks,
        read_marks,
        undone,
        one_truth,
    )
}


def violations(history: History) -> list[Violation]:
    """Everything that is not as it must be."""
    facts = Facts(history)
    return [Violation(name, what) for name, rule in RULES.items() for what in rule(facts)]


def _replayed(facts: Facts) -> Iterator[tuple[DeviceLog, Replica]]:
    for log in facts.history.devices:
        yield log, _replica(log.heard)


def _replica(heard: Iterable[Heard]) -> Replica:
    replica = Replica()
    for one in heard:
        replica.hear(one)
    return replica


def _moves(facts: Facts, act: Delete, name: str) -> bool:
    """Whether a deletion certainly moved a watermark: no other one, which may have come before it, reaches as far."""
    return all(one is act or one.up_to[name] < act.up_to[name] for one in facts.deletions[act.user, name])


def _identity(event: Json) -> tuple[str, ...]:
    """What an event must be alike in whenever it is told; how a conversation stands is told as of the telling."""
    match event["kind"]:
        case "message.new" | "message.changed":
            message = event["message"]
            return event["kind"], message["conversationID"], str(message["messageSeq"]), message["clientID"]
        case "conversation.deleted" | "conversation.cleared":
            return event["kind"], event["operationID"]
        case "conversation.restored":
            return event["kind"], event["batchID"]
        case kind:
            return (kind,)


def _shown(seqs: Iterable[int]) -> str:
    """Numbers, as runs."""
    runs: list[list[int]] = []
    for seq in seqs:
        if runs and seq == runs[-1][1] + 1:
            runs[-1][1] = seq
        else:
            runs.append([seq, seq])
    return " ".join(str(low) if low == high else f"{low}–{high}" for low, high in runs) or "nothing"
