"""What a transaction on PostgreSQL locks, so that none waits for one that waits for it.

Transactions run READ COMMITTED and lock before they read what they decide by. They cannot wait for each other in a
circle: whoever holds locks waits only for one that comes after all of these (conversations before users, each by key),
and whoever has written anything, which locks what was written, waits for none. Otherwise a lock is taken only if that
needs no waiting; where it does, the job is given up (`Busy`), and begun anew with all locks that are known by then
taken first, in order. A lock that cannot be had is skipped, which leaves the transaction good, so that others in it go
on.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

from . import Row
from .postgres_session import FEW, Session, Then, translated

_LOCKED_USERS: Final = "SELECT account, seq FROM stream WHERE account IN (?*) ORDER BY account FOR NO KEY UPDATE"
_LOCKED_CONVERSATIONS: Final = "SELECT id FROM conversation WHERE id IN (?*) ORDER BY id FOR NO KEY UPDATE"
_LOCKED_EVERYBODY: Final = (
    "SELECT account, seq FROM stream WHERE account IN (SELECT account FROM state WHERE conversation IN (?*))"
    " ORDER BY account FOR NO KEY UPDATE"
)
_LOCKED_ROOM: Final = (
    "SELECT c.id FROM state s JOIN conversation c ON c.id = s.conversation WHERE s.account = $1 AND s.folded = $2"
    " FOR NO KEY UPDATE OF c"
)
_LOCKED_IN_ROOM: Final = (
    "SELECT account, seq FROM stream WHERE account IN (SELECT o.account FROM state s JOIN state o"
    " ON o.conversation = s.conversation WHERE s.account = $1 AND s.folded = $2) ORDER BY account FOR NO KEY UPDATE"
)
_LOCKED_FIRST: Final = (
    "SELECT account, seq FROM stream WHERE account = ANY($1) OR account IN"
    " (SELECT account FROM state WHERE conversation = ANY($2)) ORDER BY account FOR NO KEY UPDATE"
)
# The same without waiting: beside what somebody else holds there stands NULL, as beside what is not there. A user who
# was erased has no log, so it is said of users whether they have one.
_FREE_USERS: Final = (
    "SELECT w.account, (SELECT l.seq FROM stream l WHERE l.account = w.account FOR NO KEY UPDATE SKIP LOCKED),"
    " EXISTS (SELECT FROM stream l WHERE l.account = w.account) FROM unnest($1::bigint[]) AS w (account)"
)
_FREE_CONVERSATIONS: Final = (
    "SELECT w.id, (SELECT c.id FROM conversation c WHERE c.id = w.id FOR NO KEY UPDATE SKIP LOCKED)"
    " FROM unnest($1::bigint[]) AS w (id)"
)
_FREE_EVERYBODY: Final = (
    "SELECT s.account, (SELECT l.seq FROM stream l WHERE l.account = s.account FOR NO KEY UPDATE SKIP LOCKED),"
    " EXISTS (SELECT FROM stream l WHERE l.account = s.account) FROM state s WHERE s.conversation IN (?*)"
)
_FREE_ROOM: Final = (
    "SELECT s.conversation, (SELECT c.id FROM conversation c WHERE c.id = s.conversation"
    " FOR NO KEY UPDATE SKIP LOCKED) FROM state s WHERE s.account = $1 AND s.folded = $2"
)
_FREE_IN_ROOM: Final = (
    "SELECT o.account, (SELECT l.seq FROM stream l WHERE l.account = o.account FOR NO KEY UPDATE SKIP LOCKED),"
    " EXISTS (SELECT FROM stream l WHERE l.account = o.account)"
    " FROM state s JOIN state o ON o.conversation = s.conversation WHERE s.account = $1 AND s.folded = $2"
)


class Busy(Exception):
    """A lock out of order is held by somebody else: the job begins anew, with its locks taken first."""


class Wanted:
    """Locks: of conversations, of users, and of everybody who has a side of some conversations."""

    def __init__(self) -> None:
        self.conversations: set[int] = set()
        self.users: set[int] = set()
        self.everybody: set[int] = set()

    def add(self, other: "Wanted") -> None:
        """These and the other's."""
        self.conversations |= other.conversations
        self.users |= other.users
        self.everybody |= other.everybody


class Locks:
    """What one transaction holds, and what the job that runs in it has asked for so far."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.held = Wanted()
        self.asked = Wanted()
        self.waits = True
        """Whether any lock may be waited for: only the first job of a transaction waits."""
        self.written = False
        """Whether rows were written, which are locked by that."""
        self.seqs: dict[int, int] = {}
        """How far the logs of users who are held are counted; who is not here has none, or has to be looked up."""
        self.open = 0
        """Locks that were asked for, of which nothing was heard yet."""

    def settle(self) -> None:
        """Wait for the locks that were asked for. Raises Busy."""
        if self.open:
            try:
                self._session.settle()
            finally:
                self.open = 0

    def take_first(self, wanted: Wanted) -> None:
        """Ask for these in order, before anything else is held."""
        if wanted.conversations:
            self._ask_conversations(sorted(wanted.conversations))
        if wanted.users or wanted.everybody:
            self._ask(
                _LOCKED_FIRST,
                (sorted(wanted.users), sorted(wanted.everybody)),
                self._have_users,
            )
            self.settle()
            # Who is not there any more needs no lock.
            self.held.users |= wanted.users
            self.held.everybody |= wanted.everybody

    def conversations(self, wanted: Iterable[int]) -> None:
        """Lock conversations."""
        self.settle()
        new = sorted(set(wanted) - self.held.conversations)
        self.asked.conversations.update(new)
        if new:
            first = not self.held.users and (not self.held.conversations or new[0] > max(self.held.conversations))
            if self._may_wait(first):
                self._ask_conversations(new)
            else:
                self._ask(_FREE_CONVERSATIONS, (new,), self._have_free_conversations)
            self.settle()

    def users(self, wanted: Iterable[int]) -> None:
        """Lock users, by their row in `stream`, which nearly every change writes anyway."""
        self.settle()
        new = sorted(set(wanted) - self.held.users)
        self.asked.users.update(new)
        if new:
            if self._may_wait(not self.held.users or new[0] > max(self.held.users)):
                self._ask(*_listed(_LOCKED_USERS, new), self._have_users)
                self.settle()
                self.held.users.update(new)
            else:
                self._ask(_FREE_USERS, (new,), self._have_free_users)
                self.settle()

    def everybody(self, conversations: Iterable[int]) -> None:
        """Lock everybody who has a side of these conversations, which are locked."""
        self.settle()
        new = sorted(set(conversations) - self.held.everybody)
        self.asked.everybody.update(new)
        if new:
            if self._may_wait(not self.held.users):
                self._ask(*_listed(_LOCKED_EVERYBODY, new), self._have_users)
            else:
                self._ask(*_listed(_FREE_EVERYBODY, new), self._have_free_users)
            self.settle()
            self.held.everybody.update(new)

    def room(self, user: int, folded: str, then: Callable[[], None]) -> None:
        """Ask for the conversation that a user calls so, and everybody there. Whether it could be had turns out when
        anything is read; `then` is called before that."""
        self.settle()
        name = (user, folded)
        found: list[int] = []

        def have_conversation(rows: list[Row]) -> None:
            self.open -= 1
            found.extend(row[0] for row in rows)
            self.asked.conversations.update(found)
            self.asked.everybody.update(found)
            if any(row[-1] is None for row in rows):
                raise Busy
            self.held.conversations.update(found)

        def have_everybody(rows: list[Row]) -> None:
            if rows and not found:
                raise Busy  # it was begun in between
            if self.held.everybody.issuperset(found):
                self._have_users(_with_log(rows))
            else:
                self._have_free_users(rows)
                self.held.everybody.update(found)
            then()

        if self._may_wait(not self.held.conversations and not self.held.users):
            self._ask(_LOCKED_ROOM, name, have_conversation)
            self._ask(_LOCKED_IN_ROOM, name, have_everybody)
        else:
            self._ask(_FREE_ROOM, name, have_conversation)
            self._ask(_FREE_IN_ROOM, name, have_everybody)

    def check_room(self, conversation: int) -> None:
        """See that a conversation that was found where `room` has looked is locked, and everybody there. Raises
        Busy."""
        self.settle()
        if conversation not in self.held.conversations:
            self.asked.conversations.add(conversation)
            self.asked.everybody.add(conversation)
            raise Busy

    def check_users(self, users: Collection[int]) -> None:
        """See that these, who have logs, are locked. Raises Busy."""
        if not self.held.users.issuperset(users):
            self.asked.users.update(users)
            raise Busy

    def forget_seqs(self) -> None:
        """Look up how far logs are counted when that is wanted: they may have changed."""
        self.seqs.clear()

    def look_up_seqs(self, users: Iterable[int]) -> None:
        """How far the logs of these are counted, who are locked."""
        unknown = [user for user in users if user not in self.seqs]
        if unknown:
            self.seqs.update(self._session.rows("SELECT account, seq FROM stream WHERE account = ANY($1)", (unknown,)))

    def _may_wait(self, in_order: bool) -> bool:
        return in_order and self.waits and not self.written

    def _ask(self, sql: str, values: Sequence[Any], then: Then) -> None:
        self.open += 1
        self._session.post(sql, values, then)

    def _ask_conversations(self, wanted: list[int]) -> None:
        def have(_: list[Row]) -> None:
            self.open -= 1
            self.held.conversations.update(wanted)

        self._ask(*_listed(_LOCKED_CONVERSATIONS, wanted), have)

    def _have_free_conversations(self, rows: list[Row]) -> None:
        self.open -= 1
        self.held.conversations.update(row[0] for row in rows if row[1] is not None)
        if any(row[1] is None for row in rows):
            raise Busy

    def _have_users(self, rows: list[Row]) -> None:
        self.open -= 1
        self.held.users.update(row[0] for row in rows)
        self.seqs.update(rows)

    def _have_free_users(self, rows: list[Row]) -> None:
        self._have_users(_with_log(rows))
        if any(row[1] is None and row[2] for row in rows):
            raise Busy


def _with_log(rows: list[Row]) -> list[Row]:
    """The users who are locked, and how far their logs are counted; who has none was erased."""
    return [row[:2] for row in rows if row[1] is not None]


def _listed(sql: str, values: list[int]) -> tuple[str, list[Any]]:
    """A query of a list of values, and what to give it."""
    return translated(sql, len(values)), values if len(values) <= FEW else [values]
