"""What peers say and when. Pure: chance is passed in, and nothing waits or is sent here."""

from collections.abc import Mapping
from random import Random
from typing import Final, NamedTuple

from tui_chat.protocol import ids

from .excerpt import ALICE, Excerpt, Talk, mentions_alice

_PAUSE: Final = (2.0, 9.0)
"""Seconds between two things that happen anywhere: alive, and no flood."""
_WEIGHT_MAIN: Final = 8.0
_WEIGHT_GROUP: Final = 2.0
_WEIGHT_PERSON: Final = 0.6
"""A conversation that somebody just deleted should not come back within seconds, so single people write seldom."""
_GROUP_ANSWERS: Final = 0.8
"""Share of alice's lines in a group that somebody answers."""
_READING: Final = (0.7, 1.8)
_TYPING: Final = (1.2, 2.6)


class Utterance(NamedTuple):
    """Somebody says something. `conversation_id` is as the speaker names it."""

    speaker: str
    conversation_id: str
    text: str
    mentions: tuple[str, ...] = ()


class Reply(NamedTuple):
    """An answer to alice: read after `reading` seconds, typed for `typing`, then said."""

    reading: float
    typing: float
    said: Utterance


class Script:
    """The lines that are left, and whose turn it is."""

    def __init__(self, excerpt: Excerpt, random: Random, *, said: Mapping[str, int] | None = None) -> None:
        """`said`: how many lines of each conversation were said in earlier runs (see `progress`)."""
        self._people = [person.user_id for person in excerpt.people]
        self._answers = excerpt.answers
        self._random = random
        self._said = dict(said or {})
        self._live = {key: talk for talk in excerpt.talks if talk.live and (key := self._key(talk))}
        self._of_person = {
            ids.fold(self._people[talk.partner]): talk for talk in excerpt.talks if talk.partner is not None
        }
        self._of_group = {ids.fold(talk.group): talk for talk in excerpt.talks if talk.group is not None}
        self._known = {ids.fold(user_id): user_id for user_id in self._people}

    @property
    def progress(self) -> dict[str, int]:
        """How many lines of each conversation have been said, over all runs."""
        return dict(self._said)

    def pause(self) -> float:
        """Seconds until the next thing happens by itself."""
        return self._random.uniform(*_PAUSE)

    def next(self) -> Utterance | None:
        """What is said next, anywhere; None in an excerpt without such lines."""
        if not self._live:
            return None
        keys = list(self._live)
        key = self._random.choices(keys, [self._weight(self._live[key]) for key in keys])[0]
        return self._next_of(key)

    def from_person(self, user_id: str) -> Utterance | None:
        """What that person writes to alice next; None for somebody unknown here, or alice herself."""
        name = self._known.get(ids.fold(user_id))
        if name is None or name == ALICE:
            return None
        talk = self._of_person.get(ids.fold(name))
        if talk is not None and talk.live:
            return self._next_of(self._key(talk))
        lines = self._answers.chinese if talk is not None and talk.chinese else self._answers.english
        return Utterance(name, ids.c2c(ALICE), self._random.choice(lines))

    def answer(self, conversation_id: str) -> Reply | None:
        """Who answers alice, who has just written in that conversation of hers; None where nobody does."""
        to = ids.parse_conversation_id(conversation_id)
        match to.type:
            case ids.ConversationType.C2C:
                said = self.from_person(to.target)
            case ids.ConversationType.GROUP if self._random.random() < _GROUP_ANSWERS:
                said = self._from_group(to.target)
            case _:
                said = None
        if said is None:
            return None
        return Reply(self._random.uniform(*_READING), self._random.uniform(*_TYPING), said)

    def _from_group(self, group_id: str) -> Utterance | None:
        """One of those who spoke there last turns to alice."""
        talk = self._of_group.get(ids.fold(group_id))
        if talk is None or talk.ended:
            return None
        speakers = sorted({self._people[number] for number in talk.senders[-40:]} - {ALICE})
        if not speakers or not talk.group:
            return None
        text = f"{ALICE}: {self._random.choice(self._answers.english)}"
        return Utterance(self._random.choice(speakers), ids.group(talk.group), text, (ALICE,))

    def _next_of(self, key: str) -> Utterance:
        """The next line of a conversation; after the last, the first again."""
        talk = self._live[key]
        at = self._said.get(key, 0)
        self._said[key] = at + 1
        line = talk.live[at % len(talk.live)]
        speaker = self._people[line.sender]
        if talk.group is None:
            return Utterance(speaker, ids.c2c(ALICE), line.text)
        mentions = (ALICE,) if mentions_alice(line.text) else ()
        return Utterance(speaker, ids.group(talk.group), line.text, mentions)

    def _key(self, talk: Talk) -> str:
        """The conversationID as alice names it."""
        if talk.group is not None:
            return ids.group(talk.group)
        assert talk.partner is not None
        return ids.c2c(self._people[talk.partner])

    def _weight(self, talk: Talk) -> float:
        if talk.group is None:
            return _WEIGHT_PERSON
        return _WEIGHT_MAIN if len(talk.text) > 1000 else _WEIGHT_GROUP
