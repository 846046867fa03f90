"""The one query language, for the filter, marking by query, the sweep and `--match`: parsed once, then asked of rows.

    query    = both ("|" both)*                      either of these
    both     = term+                                 all of these
    term     = "-" term | word | '"' words '"' | key ":" value?

A word matches where the name or the ID has it, whatever its case. The keys:

    from:bob        the newest message is bob's (from:me: one's own)
    type:group      c2c, group or system; several: type:c2c|group
    unread:         with unread messages or the flag; a count: unread:>99
    older:30d       nothing since then; h d w m y, or a date: older:2025-01-31
    newer:7d        something since then
    messages:<3     as many visible messages; < <= > >= = or a span: 3..10
    mentions:       unread mentions, or a count of them
    answered:no     one never wrote there (among what is visible)
    muted: pinned: left: empty: draft: stale:      each also with yes or no
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from functools import reduce
from typing import Final, Protocol

from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, Membership

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
_UNITS: Final = {"h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS, "m": 30 * DAY_MS, "y": 365 * DAY_MS}
_YES: Final = frozenset({"", "yes", "y", "1"})
_NO: Final = frozenset({"no", "n", "0"})


class Subject(Protocol):
    """A row that a query is asked about, and who asks when."""

    @property
    def conversation(self) -> Conversation:
        """The row."""

    @property
    def name(self) -> str:
        """As it is shown; the system's conversation has a name only in the reader's language."""

    @property
    def own_id(self) -> str:
        """Whose list it is."""

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""

    @property
    def draft(self) -> bool:
        """Whether an unsent text waits there."""

    @property
    def stale(self) -> bool:
        """Whether it is a copy of what another device deleted."""


@dataclass(frozen=True)
class Row:
    """A Subject of plain values."""

    conversation: Conversation
    name: str
    own_id: str
    now: int
    draft: bool = False
    stale: bool = False


class Fault(StrEnum):
    """What is wrong with a query, for whoever says it in the reader's language."""

    UNKNOWN_KEY = "unknown_key"
    NOT_YES_OR_NO = "not_yes_or_no"
    NOT_A_COUNT = "not_a_count"
    NOT_A_COUNT_NOR_YES = "not_a_count_nor_yes"
    NOT_A_TIME = "not_a_time"
    NOT_A_TYPE = "not_a_type"
    NO_VALUE = "no_value"
    OPEN_QUOTE = "open_quote"
    NOTHING_THERE = "nothing_there"


class QueryError(ValueError):
    """A query that cannot be read. `str()` is one English line."""

    def __init__(self, fault: Fault, position: int, text: str) -> None:
        self.fault: Final = fault
        self.position: Final = position
        """Character of the query at which the trouble begins, from 1."""
        self.text: Final = text
        """What stands there."""
        super().__init__(f"{_SAID[fault].format(text=text)} (at character {position})")


_SAID: Final = {
    Fault.UNKNOWN_KEY: 'there is no "{text}": put it in quotes to look for it in names',
    Fault.NOT_YES_OR_NO: '"{text}" is neither yes nor no',
    Fault.NOT_A_COUNT: '"{text}" is not a count: 3, <3, >=100 or 3..10',
    Fault.NOT_A_COUNT_NOR_YES: '"{text}" is neither yes nor no nor a count: 3, <3, >=100 or 3..10',
    Fault.NOT_A_TIME: '"{text}" is not a time: 12h, 30d, 8w, 6m, 1y or 2025-01-31',
    Fault.NOT_A_TYPE: '"{text}" is not a type: c2c, group or system',
    Fault.NO_VALUE: '"{text}" needs a value',
    Fault.OPEN_QUOTE: "the quote is not closed",
    Fault.NOTHING_THERE: 'nothing stands beside "{text}"',
}

Test = Callable[[Subject], bool]


class Query:
    """A query that was read. Without a term it matches everything."""

    def __init__(self, text: str, alternatives: tuple[tuple[Test, ...], ...]) -> None:
        self.text: Final = text
        self.empty: Final = not alternatives
        """Whether it asks for nothing."""
        self.matches: Final = _either([_all(tests) for tests in alternatives]) if alternatives else _always
        """Whether it is true of a row."""


def _always(_row: Subject) -> bool:
    return True


def _all(tests: tuple[Test, ...]) -> Test:
    """Most queries are one term, which is asked itself: ten thousand rows are asked with every letter typed."""
    return reduce(_both, tests)


def _both(first: Test, second: Test) -> Test:
    return lambda row: first(row) and second(row)


def _either(tests: list[Test]) -> Test:
    return reduce(_one_of, tests)


def _one_of(first: Test, second: Test) -> Test:
    return lambda row: first(row) or second(row)


def parse(text: str, *, zone: tzinfo | None = None) -> Query:
    """Read a query.

    Arguments:
        zone: in which a date begins; None: the machine's.

    Raises:
        QueryError: with the place of the fault.
    """
    alternatives: list[tuple[Test, ...]] = []
    terms: list[Test] = []
    bar: _Token | None = None
    for token in _tokens(text):
        if token.bar:
            if not terms:
                raise QueryError(Fault.NOTHING_THERE, token.position, "|")
            alternatives.append(tuple(terms))
            terms = []
            bar = token
        else:
            terms.append(_test(token, zone))
    if terms:
        alternatives.append(tuple(terms))
    elif bar is not None:
        raise QueryError(Fault.NOTHING_THERE, bar.position, "|")
    return Query(text, tuple(alternatives))


@dataclass(frozen=True)
class _Token:
    position: int
    negated: bool = False
    key: str | None = None
    value: str = ""
    bar: bool = False


_SPACE: Final = re.compile(r"\s*")
_KEY: Final = re.compile(r"([A-Za-z]+):")
_BARE: Final = re.compile(r'[^\s|"]*')
_TYPES: Final = re.compile(r"[A-Za-z0-9]*(?:\|(?:c2c|group|system)(?![^\s|]))*", re.IGNORECASE)
"""`type:c2c|group`: there a bar stands between types, unless what follows it is none."""


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while True:
        space = _SPACE.match(text, at)
        assert space is not None
        at = space.end()
        if at == len(text):
            return tokens
        if text[at] == "|":
            tokens.append(_Token(at + 1, bar=True))
            at += 1
            continue
        token, at = _term(text, at)
        tokens.append(token)


def _term(text: str, start: int) -> tuple[_Token, int]:
    at = start
    negated = False
    while text.startswith("-", at):
        negated = not negated
        at += 1
    if negated and (at == len(text) or text[at].isspace() or text[at] == "|"):
        raise QueryError(Fault.NOTHING_THERE, start + 1, "-")
    key = _KEY.match(text, at)
    name = None
    if key is not None:
        name = key[1].lower()
        if name not in _KEYS:
            raise QueryError(Fault.UNKNOWN_KEY, at + 1, f"{key[1]}:")
        at = key.end()
    if text.startswith('"', at):
        end = text.find('"', at + 1)
        if end < 0:
            raise QueryError(Fault.OPEN_QUOTE, at + 1, text[at:])
        return _Token(start + 1, negated, name, text[at + 1 : end]), end + 1
    found = (_TYPES if name == "type" else _BARE).match(text, at)
    assert found is not None
    return _Token(start + 1, negated, name, found[0]), found.end()


def _test(token: _Token, zone: tzinfo | None) -> Test:
    test = _word(token.value) if token.key is None else _KEYS[token.key](token, zone)
    return (lambda row: not test(row)) if token.negated else test


def _word(word: str) -> Test:
    folded = word.casefold()
    return lambda row: folded in row.name.casefold() or folded in row.conversation.conversation_id.casefold()


def _flag(of: Callable[[Subject], bool]) -> "Callable[[_Token, tzinfo | None], Test]":
    def build(token: _Token, zone: tzinfo | None) -> Test:
        if token.value.lower() in _YES:
            return of
        if token.value.lower() in _NO:
            return lambda row: not of(row)
        raise QueryError(Fault.NOT_YES_OR_NO, token.position, token.value)

    return build


_COUNT: Final = re.compile(r"(?P<sign><=|>=|<|>|=)?(?P<low>\d{1,9})(?:\.\.(?P<high>\d{1,9}))?")


def _count(of: Callable[[Subject], int], *, flag: Callable[[Subject], bool] | None = None) -> "Callable[..., Test]":
    """`flag`: what it means with yes, no or nothing in the place of a count."""

    def build(token: _Token, zone: tzinfo | None) -> Test:
        if flag is not None and token.value.lower() in (*(_YES - {"1"}), *(_NO - {"0"})):
            return _flag(flag)(token, zone)
        if not token.value:
            raise QueryError(Fault.NO_VALUE, token.position, f"{token.key}:")
        found = _COUNT.fullmatch(token.value)
        if found is None or (found["sign"] and found["high"]):
            kind = Fault.NOT_A_COUNT if flag is None else Fault.NOT_A_COUNT_NOR_YES
            raise QueryError(kind, token.position, token.value)
        low = int(found["low"])
        high = int(found["high"]) if found["high"] else low
        match found["sign"]:
            case "<":
                return lambda row: of(row) < low
            case "<=":
                return lambda row: of(row) <= low
            case ">":
                return lambda row: of(row) > low
            case ">=":
                return lambda row: of(row) >= low
            case _:
                return lambda row: low <= of(row) <= high

    return build


def _time(*, older: bool) -> "Callable[[_Token, tzinfo | None], Test]":
    def build(token: _Token, zone: tzinfo | None) -> Test:
        if not token.value:
            raise QueryError(Fault.NO_VALUE, token.position, f"{token.key}:")
        before = _moment(token, zone)
        if older:
            return lambda row: row.conversation.time < before(row.now)
        return lambda row: row.conversation.time >= before(row.now)

    return build


def _moment(token: _Token, zone: tzinfo | None) -> Callable[[int], int]:
    """From the present to the moment that is meant, both in milliseconds."""
    span = re.fullmatch(r"(\d{1,6})([hdwmy])", token.value.lower())
    if span is not None:
        ago = int(span[1]) * _UNITS[span[2]]
        return lambda now: now - ago
    try:
        day = datetime.strptime(token.value, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        raise QueryError(Fault.NOT_A_TIME, token.position, token.value) from None
    moment = int(day.timestamp() * 1000)
    return lambda now: moment


def _from(token: _Token, zone: tzinfo | None) -> Test:
    if not token.value:
        raise QueryError(Fault.NO_VALUE, token.position, "from:")
    wanted = token.value.casefold()

    def test(row: Subject) -> bool:
        last = row.conversation.last_message
        if last is None:
            return False
        if wanted == "me":
            return last.sender == row.own_id
        return wanted in last.sender.casefold() or wanted in (last.nick or "").casefold()

    return test


def _type(token: _Token, zone: tzinfo | None) -> Test:
    if not token.value:
        raise QueryError(Fault.NO_VALUE, token.position, "type:")
    types = {kind.value.lower(): kind for kind in ConversationType}
    wanted = set()
    for name in token.value.lower().split("|"):
        if name not in types:
            raise QueryError(Fault.NOT_A_TYPE, token.position, name)
        wanted.add(types[name])
    return lambda row: row.conversation.type in wanted


_KEYS: Final[dict[str, Callable[[_Token, tzinfo | None], Test]]] = {
    "from": _from,
    "type": _type,
    "unread": _count(
        lambda row: row.conversation.unread_count,
        flag=lambda row: row.conversation.unread_count > 0 or row.conversation.marked_unread,
    ),
    "older": _time(older=True),
    "newer": _time(older=False),
    "messages": _count(lambda row: row.conversation.message_count),
    "mentions": _count(lambda row: row.conversation.mention_count, flag=lambda row: row.conversation.mention_count > 0),
    "answered": _flag(lambda row: row.conversation.sent_seq > row.conversation.cleared_through),
    "muted": _flag(lambda row: row.conversation.muted),
    "pinned": _flag(lambda row: row.conversation.pinned),
    "left": _flag(lambda row: row.conversation.membership not in (None, Membership.JOINED)),
    "empty": _flag(lambda row: row.conversation.message_count == 0),
    "draft": _flag(lambda row: row.draft),
    "stale": _flag(lambda row: row.stale),
}

EVERYTHING: Final = Query("", ())
KEYS: Final = tuple(f"{key}:" for key in _KEYS)
"""Every key, as one types it."""
