"""The packaged conversations, moved in time so that the newest is now, in the form in which a server takes them in."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tui_chat.protocol import ids
from tui_chat.server.operations.importing import (
    Archive,
    ArchivedFlags,
    ArchivedGroup,
    ArchivedMessage,
    ArchivedRead,
    ArchivedUser,
)

from .excerpt import ALICE, DEPARTED_AFTER, Excerpt, Person, Talk, mentions_alice

_HOUR: Final = 3_600_000
"""Milliseconds."""
_SILENT_MEMBERS: Final = ("bob", "carol")
"""They are in every group that is still alive, as friends are, and seldom say anything there."""


class Departure(NamedTuple):
    """How alice's membership of a group ended, and when (ms since 1970)."""

    time: int
    group_id: str
    owner: str
    what: str


class Mailbox(NamedTuple):
    """What is imported, and what has to be done afterwards, in order of time."""

    archive: Archive
    departures: list[Departure]


def mailbox(excerpt: Excerpt, *, now: int, password_hash: str | None = None) -> Mailbox:
    """Everything as of `now` (ms since 1970). With the hash, alice (the administrator) can log in by password."""
    people = excerpt.people
    users = [
        ArchivedUser(
            user_id=person.user_id,
            nick=person.nick,
            password_hash=password_hash if person.user_id == ALICE else None,
            administrator=person.user_id == ALICE,
        )
        for person in people
    ]
    groups: list[ArchivedGroup] = []
    messages: list[ArchivedMessage] = []
    reads: list[ArchivedRead] = []
    flags: list[ArchivedFlags] = []
    departures: list[Departure] = []
    for talk in excerpt.talks:
        times = talk.times(now)
        if talk.group is not None:
            members = _members(talk, people)
            time = times[0] - _HOUR
            groups.append(ArchivedGroup(group_id=talk.group, name=talk.name or talk.group, members=members, time=time))
            messages += _to_group(talk, talk.group, times, people)
            if talk.ended:
                departures.append(Departure(min(now, times[-1] + DEPARTED_AFTER), talk.group, members[0], talk.ended))
        elif talk.partner is not None:
            messages += _one_to_one(talk, people[talk.partner].user_id, times)
        conversation_id = _conversation_id(talk, people)
        reads.append(ArchivedRead(user_id=ALICE, conversation_id=conversation_id, unread=talk.unread))
        if talk.pinned or talk.muted:
            flags.append(
                ArchivedFlags(user_id=ALICE, conversation_id=conversation_id, pinned=talk.pinned, muted=talk.muted)
            )
    archive = Archive(users=users, groups=groups, messages=messages, reads=reads, flags=flags)
    return Mailbox(archive, sorted(departures))


def _conversation_id(talk: Talk, people: Sequence[Person]) -> str:
    if talk.group is not None:
        return ids.group(talk.group)
    assert talk.partner is not None
    return ids.c2c(people[talk.partner].user_id)


def _members(talk: Talk, people: Sequence[Person]) -> list[str]:
    """Who speaks or will speak there, and alice. The first owns the group: not alice where she is to leave it."""
    numbers = dict.fromkeys([*talk.senders, *(line.sender for line in talk.live)])
    names = [people[number].user_id for number in numbers if people[number].user_id != ALICE]
    if not talk.ended:
        names += [name for name in _SILENT_MEMBERS if name not in names]
    return [ALICE, *names] if talk.pinned and not talk.live else [*names, ALICE]


def _to_group(talk: Talk, group_id: str, times: Sequence[int], people: Sequence[Person]) -> list[ArchivedMessage]:
    return [
        ArchivedMessage(
            sender=people[sender].user_id,
            to=group_id,
            in_group=True,
            time=time,
            text=text,
            mentions=[ALICE] if sender and mentions_alice(text) else [],
        )
        for sender, time, text in zip(talk.senders, times, talk.text, strict=True)
    ]


def _one_to_one(talk: Talk, partner: str, times: Sequence[int]) -> list[ArchivedMessage]:
    return [
        ArchivedMessage(sender=partner if sender else ALICE, to=ALICE if sender else partner, time=time, text=text)
        for sender, time, text in zip(talk.senders, times, talk.text, strict=True)
    ]
