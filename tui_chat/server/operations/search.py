"""Finding messages by what stands in them: all words of a query, each anywhere in the text, whatever its case.

Only what the caller sees is looked at: within periods of membership, above what was cleared; what was recalled or
erased has no text. The newest come first. One call looks at a bounded number of messages and says where to go on.
"""

import heapq
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from tui_chat.protocol import limits
from tui_chat.protocol.errors import ConversationNotFound, InvalidRequest
from tui_chat.protocol.models import Message
from tui_chat.protocol.requests import SearchAnswer
from tui_chat.protocol.text import clean_text
from tui_chat.server.engines import Transaction

from .caller import Caller
from .changing import visible
from .history import pointed_at
from .indexing import TEXT_TYPE
from .naming import named
from .perspective import seen_from
from .signatures import Gram, folded, grams_of, may_hold
from .state import SYSTEM_KIND, Side, side, sides_by_key

READ_MOST: Final = 20_000
"""Messages that one call reads, beside those around the place where it goes on (of each conversation at most a block
reaches over it, and without reading these no call would get anywhere): about a tenth of a second."""
SIGNATURES: Final = 256
"""Signatures that are fetched at once; one has up to 8 KiB."""
UNINDEXED: Final = 256
"""Messages that are read at once where there is no signature."""
_CONVERSATIONS: Final = (
    "SELECT s.conversation, s.cleared, s.join_seq, s.leave_seq, s.past, c.last_seq, c.indexed_through,"
    " CASE WHEN c.indexed_through < c.last_seq THEN (SELECT MAX(m.time) FROM message m"
    " WHERE m.conversation = c.id AND m.seq > c.indexed_through AND m.seq > c.last_seq - ?) END"
    " FROM state s JOIN conversation c ON c.id = s.conversation WHERE c.kind <> ? AND s.account = ?"
)
"""The last: when the newest of what has no signature was sent, which is not the last where the clock was set back. Of
READ_MOST messages at most: so many wait for one only right after an import, which writes in the order of the times."""
_BLOCKS: Final = (
    "SELECT b.last_time, b.id, b.conversation, b.first_seq, b.last_seq FROM state s"
    " JOIN search_block b ON b.conversation = s.conversation WHERE b.first_time <= ? AND s.account = ?"
)
_FORMER: Final = (
    "SELECT DISTINCT s.conversation, f.seq FROM state s JOIN former_message f ON f.conversation = s.conversation"
    " WHERE f.until_seq >= s.leave_seq AND f.seq <= s.leave_seq AND s.account = ?"
)
_END: Final = 2**62
_CURSOR: Final = re.compile(r"(\d{1,18})-(\d{1,18})-(\d{1,18})", re.ASCII)


class _Place(NamedTuple):
    """Where a message stands, in the order of answers: by time, and where that is the same, somehow."""

    time: int
    conversation: int
    seq: int


class _Stretch(NamedTuple):
    """Some messages of a conversation, and when the newest of them was sent at the latest."""

    last_time: int
    conversation: int
    first: int
    last: int
    block: int | None
    """Where its signature stands; None: it has none."""


class _Reach(NamedTuple):
    """What the caller can see of a conversation at most; `exact` is whether that is all there is to it."""

    first: int
    last: int
    exact: bool


def search(
    tx: Transaction,
    caller: Caller,
    q: str,
    *,
    conversation_id: str | None = None,
    cursor: str | None = None,
    limit: int = limits.PAGE_DEFAULT,
) -> SearchAnswer:
    """Messages in which all words of `q` stand, the newest first, of one conversation or of all.

    Raises:
        InvalidRequest: there is nothing to look for, or too much; the cursor or the limit is none.
        InvalidConversation, ConversationNotFound.
    """
    words = words_of(q)
    if not 1 <= limit <= limits.PAGE:
        raise InvalidRequest(f"limit is from 1 to {limits.PAGE}")
    before = _read_cursor(cursor)
    only: int | None = None
    if conversation_id is not None:
        own = side(tx, caller.user, named(caller, conversation_id).folded)
        if own is None:
            raise ConversationNotFound()
        only = own.conversation
    looking = _Looking(tx, caller, words, before, only)
    return looking.answer(limit)


def words_of(q: str) -> list[str]:
    """The words of a query, as they are compared. Raises InvalidRequest."""
    if len(q) > limits.SEARCH_CHARACTERS:
        raise InvalidRequest(f"a query has at most {limits.SEARCH_CHARACTERS} characters")
    words = list(dict.fromkeys(folded(clean_text(q)).split()))
    if not words:
        raise InvalidRequest("there is nothing to look for in that query")
    if len(words) > limits.SEARCH_WORDS:
        raise InvalidRequest(f"a query has at most {limits.SEARCH_WORDS} words")
    return words


def _read_cursor(cursor: str | None) -> _Place:
    if cursor is None:
        return _Place(_END, _END, _END)
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidRequest("cursor is not one that this server gave")
    return _Place(*map(int, match.groups()))


class _Looking:
    """One call's way through what the caller can see, from the newest stretch to the oldest."""

    def __init__(self, tx: Transaction, caller: Caller, words: Sequence[str], before: _Place, only: int | None) -> None:
        self._tx = tx
        self._caller = caller
        self._words = words
        self._grams: Sequence[Gram] = grams_of(words)
        self._before = before
        self._only = only
        self._reaches: dict[int, _Reach] = {}
        self._former: dict[int, list[int]] = {}
        """By conversation, in order: messages that the caller sees as they were before a change."""
        self._sides: dict[int, Side] = {}
        self._left = READ_MOST

    def answer(self, limit: int) -> SearchAnswer:
        found: list[_Place] = []
        """A heap of the newest so far, one more than are wanted."""
        rest: int | None = None
        for stretch in self._promising():
            if len(found) > limit and found[0].time > stretch.last_time:
                break
            if self._left <= 0 and stretch.last_time < self._before.time:
                rest = stretch.last_time
                break
            for place in self._matches(stretch):
                heapq.heappush(found, place)
                if len(found) > limit + 1:
                    heapq.heappop(found)
        places = sorted(found, reverse=True)
        following: _Place | None = None
        if rest is not None:
            # What is as old as what was not looked at any more is left for the next call, so that the order holds.
            places = [place for place in places if place.time > rest]
            following = _Place(rest, _END, _END)
        if len(places) > limit:
            places = places[:limit]
            following = places[-1]
        return SearchAnswer(
            messages=self._messages(places),
            next=None if following is None else "-".join(str(min(part, 10**18 - 1)) for part in following),
        )

    def _promising(self) -> Iterator[_Stretch]:
        """The stretches in which the words may stand, by the time of their newest message, the newest first."""
        stretches = self._stretches()
        for start in range(0, len(stretches), SIGNATURES):
            piece = stretches[start : start + SIGNATURES]
            blocks = [one.block for one in piece if one.block is not None]
            query = "SELECT id, signature FROM search_block WHERE id IN (?*)"
            signatures: dict[int, bytes | None] = dict(self._tx.in_list(query, blocks))
            for one in piece:
                signature = None if one.block is None else signatures.get(one.block)
                if signature is None or may_hold(signature, self._grams) or self._former_in(one):
                    yield one

    def _stretches(self) -> list[_Stretch]:
        """Everything that the caller can see and that is not newer than where to go on."""
        one, values = "", [self._caller.user]
        if self._only is not None:
            one, values = " AND s.conversation = ?", [self._caller.user, self._only]
        found: list[_Stretch] = []
        for key, cleared, join_seq, leave_seq, past, last_seq, indexed, last_time in self._tx.all(
            f"{_CONVERSATIONS}{one}", READ_MOST, SYSTEM_KIND, *values
        ):
            first = max(cleared + 1, 1 if past else join_seq)
            last = last_seq if leave_seq is None else leave_seq
            if first > last:
                continue
            self._reaches[key] = _Reach(first, last, not past and leave_seq is None)
            found += [
                _Stretch(last_time, key, max(end - UNINDEXED + 1, indexed + 1), end, None)
                for end in range(last, max(indexed, first - 1), -UNINDEXED)
            ]
        for last_time, block, key, first, last in self._tx.all(f"{_BLOCKS}{one}", self._before.time, *values):
            reach = self._reaches.get(key)
            if reach is not None and first <= reach.last and last >= reach.first:
                found.append(_Stretch(last_time, key, first, last, block))
        for key, seq in self._tx.all(f"{_FORMER}{one}", *values):
            self._former.setdefault(key, []).append(seq)
        for seqs in self._former.values():
            seqs.sort()
        found.sort(key=lambda one: (one.last_time, one.conversation, one.last), reverse=True)
        return found

    def _former_in(self, stretch: _Stretch) -> bool:
        """Whether the signature, which is of what stands there now, says nothing of what the caller sees."""
        seqs = self._former.get(stretch.conversation, ())
        place = bisect_left(seqs, stretch.first)
        return place < len(seqs) and seqs[place] <= stretch.last

    def _matches(self, stretch: _Stretch) -> Iterator[_Place]:
        """The messages of a stretch in which the words do stand."""
        reach = self._reaches[stretch.conversation]
        rows = self._tx.all(
            "SELECT seq, time, text FROM message"
            " WHERE conversation = ? AND seq >= ? AND seq <= ? AND type = ? AND time <= ?",
            stretch.conversation,
            max(stretch.first, reach.first),
            min(stretch.last, reach.last),
            TEXT_TYPE,
            self._before.time,
        )
        if stretch.last_time < self._before.time:
            self._left -= len(rows)
        former = set(self._former.get(stretch.conversation, ()))
        for seq, time, text in rows:
            if text and (seq in former or self._holds(text)):
                place = _Place(time, stretch.conversation, seq)
                if place < self._before and (reach.exact or self._sees(place)):
                    yield place

    def _holds(self, text: str) -> bool:
        text = folded(text)
        return all(word in text for word in self._words)

    def _sees(self, place: _Place) -> bool:
        """Whether somebody who was in the group for a while, or in several spells, sees the message, and sees it so."""
        own = self._side(place.conversation)
        if not any(first <= place.seq <= last for first, last in visible(self._tx, own)):
            return False
        return own.leave_seq is None or self._holds(self._seen([place], place.conversation)[0].text)

    def _side(self, conversation: int) -> Side:
        if conversation not in self._sides:
            self._sides |= sides_by_key(self._tx, self._caller.user, [conversation])
        return self._sides[conversation]

    def _seen(self, places: Sequence[_Place], conversation: int) -> list[Message]:
        """Messages of one conversation as the caller sees them."""
        own = self._side(conversation)
        messages = pointed_at(self._tx, [(one.conversation, one.seq) for one in places]).values()
        shown = [msgspec.structs.replace(one, conversation_id=own.conversation_id) for one in messages]
        return seen_from(self._tx, self._caller.user, conversation, own.leave_seq, shown)

    def _messages(self, places: Sequence[_Place]) -> list[Message]:
        by_conversation: dict[int, list[_Place]] = {}
        for place in places:
            by_conversation.setdefault(place.conversation, []).append(place)
        self._sides |= sides_by_key(self._tx, self._caller.user, list(by_conversation))
        found: dict[tuple[int, int], Message] = {}
        for conversation, theirs in by_conversation.items():
            for message in self._seen(theirs, conversation):
                found[conversation, message.message_seq] = message
        return [found[place.conversation, place.seq] for place in places]
