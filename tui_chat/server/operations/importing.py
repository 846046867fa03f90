"""Filling a database from files, in bulk, with the times that the files have: for the demo, benchmarks, migrations.

It is for a database that nobody is connected to: no events are logged, so a client's first sync is a snapshot. It can
be called again with more; what exists is added to. Measured: 20,000 messages in about a third of a second.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import msgspec

from tui_chat.protocol import ids
from tui_chat.protocol.errors import InvalidRequest, UserNotFound
from tui_chat.protocol.models import Tip, TipKind
from tui_chat.protocol.text import accept_name, accept_text
from tui_chat.server.engines import Transaction

from .extras import Extra
from .naming import folded_users
from .state import C2C, GROUP, JOINED, MEMBER, OWNER
from .tips import in_english
from .users import Account, NewAccount, NewSide, add_accounts, add_conversations, add_sides

_TEXT = 0
_TIP = 1


class ArchivedUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user; without a password hash nobody can log in as it. One that exists stays as it is."""

    user_id: str
    nick: str | None = None
    password_hash: str | None = None
    administrator: bool = False


class ArchivedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group, made by its first member at `time` (milliseconds since 1970), and all are in it from then on."""

    group_id: str
    name: str
    members: list[str]
    time: int
    join: Literal["free", "approval", "closed"] = "free"


class ArchivedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to a group, or to a user; `to` is a groupID or userID. Those of one conversation are in order."""

    sender: str
    to: str
    in_group: bool = False
    time: int
    text: str
    mentions: list[str] = []
    """userIDs; those who are not in the conversation are not called."""


class ArchivedRead(msgspec.Struct, frozen=True, kw_only=True):
    """How a user stands to a conversation after the import: everything is read but the newest `unread` messages (of
    others, after one's own last). Conversations without such a mark are read up to the user's own last message."""

    user_id: str
    conversation_id: str
    unread: int = 0


class ArchivedFlags(msgspec.Struct, frozen=True, kw_only=True):
    """Flags of a conversation for a user."""

    user_id: str
    conversation_id: str
    pinned: bool = False
    muted: bool = False


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """What is filled in by one call."""

    users: list[ArchivedUser] = []
    groups: list[ArchivedGroup] = []
    messages: list[ArchivedMessage] = []
    reads: list[ArchivedRead] = []
    flags: list[ArchivedFlags] = []


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """How many of each were new."""

    users: int
    groups: int
    messages: int


class _Place(NamedTuple):
    """A conversation that messages go to."""

    key: int
    last_seq: int
    last_count: int
    last_time: int


def import_archive(tx: Transaction, archive: Archive) -> Imported:
    """Fill the archive in, all of it or nothing.

    Raises:
        InvalidName, TextEmpty, TextTooLong: a name or text in it cannot be one.
        UserNotFound: somebody in it is neither in it nor in the database.
        InvalidRequest: it contradicts itself.
    """
    users = _users(tx, archive)
    groups = _groups(tx, archive, users)
    _messages(tx, archive, users)
    for mark in archive.reads:
        _read(tx, _known(users, mark.user_id), mark)
    _count_mentions(tx, archive, users)
    tx.many(
        "UPDATE state SET pinned = ?, muted = ? WHERE account = ? AND folded = ?",
        [
            (int(one.pinned), int(one.muted), _known(users, one.user_id).key, ids.fold(one.conversation_id))
            for one in archive.flags
        ],
    )
    return Imported(users=len(users.new), groups=groups, messages=len(archive.messages))


class _Users(NamedTuple):
    """Everybody in an archive, by folded userID; and who was new."""

    known: dict[str, Account]
    new: set[str]


def _known(users: _Users, user_id: str) -> Account:
    try:
        return users.known[ids.fold(user_id)]
    except KeyError:
        raise UserNotFound(f"there is no user {user_id[:40]!r}") from None


def _load(tx: Transaction, folded: Iterable[str]) -> dict[str, Account]:
    rows = tx.in_list("SELECT folded, id, user_id, nick FROM account WHERE folded IN (?*)", list(folded))
    return {row[0]: Account(*row[1:]) for row in rows}


def _users(tx: Transaction, archive: Archive) -> _Users:
    wanted = {ids.fold(ids.check_user_id(one.user_id)): one for one in archive.users}
    mentioned = set(wanted) | {ids.fold(one.user_id) for one in archive.reads}
    mentioned.update(ids.fold(one.user_id) for one in archive.flags)
    for group in archive.groups:
        mentioned.update(folded_users(group.members))
    for message in archive.messages:
        mentioned.add(ids.fold(message.sender))
        mentioned.update(ids.fold(name) for name in message.mentions)
        if not message.in_group:
            mentioned.add(ids.fold(message.to))
    present = _load(tx, sorted(mentioned))
    new = [name for name in wanted if name not in present]
    add_accounts(
        tx,
        [
            NewAccount(
                one.user_id,
                None if one.nick is None else accept_name(one.nick, "a nick"),
                one.password_hash,
                one.administrator,
            )
            for one in (wanted[name] for name in new)
        ],
    )
    return _Users(present | _load(tx, new), set(new))


def _groups(tx: Transaction, archive: Archive, users: _Users) -> int:
    made = 0
    for group in archive.groups:
        folded = ids.fold(ids.check_new_group_id(group.group_id))
        if tx.one("SELECT 1 FROM chat_group WHERE folded = ?", folded):
            continue
        members = [_known(users, name) for name in folded_users(group.members)]
        if not members:
            raise InvalidRequest(f"the group {group.group_id} has no members")
        _group(tx, tx.next_key("conversation"), group, members)
        made += 1
    return made


def _group(tx: Transaction, key: int, group: ArchivedGroup, members: list[Account]) -> None:
    """Make a group whose first message tells that it was made, and in which everybody is from there on."""
    name = accept_name(group.name, "a group's name")
    owner = members[0]
    add_conversations(tx, [(key, GROUP, key, 0)])
    tx.execute("UPDATE conversation SET last_seq = 1, last_time = ?, unindexed = 1 WHERE id = ?", group.time, key)
    tx.execute(
        "INSERT INTO chat_group (conversation, group_id, folded, name, join_rule, owner, member_count, dismissed,"
        " created) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
        key,
        group.group_id,
        ids.fold(group.group_id),
        name,
        group.join,
        owner.key,
        len(members),
        group.time,
    )
    tip = Tip(what=TipKind.CREATED, operator=owner.user_id, group_id=group.group_id, name=name)
    extra = msgspec.json.encode(Extra(tip=tip)).decode()
    _insert(tx, [(key, 1, owner.key, group.time, _TIP, 0, in_english(tip), extra)])
    conversation_id = ids.group(group.group_id)
    add_sides(
        tx,
        [NewSide(one.key, key, conversation_id, None, JOINED, OWNER if one is owner else MEMBER, 1) for one in members],
    )


def _insert(tx: Transaction, rows: list[tuple[object, ...]]) -> None:
    tx.many(
        "INSERT INTO message (conversation, seq, sender, client_id, time, type, count, text, extra)"
        " VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?)",
        rows,
    )


def _messages(tx: Transaction, archive: Archive, users: _Users) -> None:
    by_place: dict[int, list[tuple[Account, ArchivedMessage]]] = defaultdict(list)
    places = _places(tx, archive, users)
    for message in archive.messages:
        sender = _known(users, message.sender)
        by_place[places[_where(users, message, sender)].key].append((sender, message))
    standing = {place.key: place for place in places.values()}
    rows: list[tuple[object, ...]] = []
    own: dict[tuple[int, int], tuple[int, int]] = {}
    ends: list[tuple[int, int, int, int]] = []
    mentions: list[tuple[int, int, int]] = []
    for key, written in by_place.items():
        _, seq, count, time = standing[key]
        for sender, message in written:
            seq, count, time = seq + 1, count + 1, message.time
            called = [_known(users, name) for name in folded_users(message.mentions)]
            extra = None
            if called:
                extra = msgspec.json.encode(Extra(mentions=[one.user_id for one in called])).decode()
                mentions += [(seq, one.key, key) for one in called if one.key != sender.key]
            rows.append((key, seq, sender.key, time, _TEXT, count, accept_text(message.text), extra))
            own[sender.key, key] = (seq, count)
        ends.append((seq, count, time, key))
    _insert(tx, rows)
    # Only those who are there are called.
    tx.many(
        "INSERT INTO mention (account, conversation, seq) SELECT account, conversation, ? FROM state"
        " WHERE account = ? AND conversation = ?",
        mentions,
    )
    tx.many("UPDATE conversation SET last_seq = ?, last_count = ?, last_time = ?, unindexed = 1 WHERE id = ?", ends)
    # Sending reads what stands before it, here as everywhere.
    tx.many(
        "UPDATE state SET sent_seq = ?, read_seq = ?, floor_count = ?, mention_count = 0"
        " WHERE account = ? AND conversation = ?",
        [(seq, seq, count, account, key) for (account, key), (seq, count) in own.items()],
    )


def _count_mentions(tx: Transaction, archive: Archive, users: _Users) -> None:
    """How many mentions each of the mentioned has not read, now that it is known what is read."""
    called = {_known(users, name).key for message in archive.messages for name in message.mentions}
    tx.many(
        "UPDATE state SET mention_count = (SELECT COUNT(*) FROM mention m WHERE m.account = state.account"
        " AND m.conversation = state.conversation AND m.seq > state.read_seq AND m.seq > state.hidden"
        " AND m.seq > state.cleared) WHERE account = ?",
        [(account,) for account in sorted(called)],
    )


def _where(users: _Users, message: ArchivedMessage, sender: Account) -> tuple[int, int] | str:
    """Which conversation a message belongs to: a folded groupID, or the two accounts in order."""
    if message.in_group:
        return ids.fold(message.to)
    peer = _known(users, message.to)
    if peer.key == sender.key:
        raise InvalidRequest(f"{message.sender} writes to itself in the archive")
    return min(sender.key, peer.key), max(sender.key, peer.key)


def _places(tx: Transaction, archive: Archive, users: _Users) -> Mapping[tuple[int, int] | str, _Place]:
    """The conversations of all messages; one-to-one conversations are made where they are missing."""
    found: dict[tuple[int, int] | str, _Place] = {}
    missing: list[tuple[int, int]] = []
    for where in dict.fromkeys(_where(users, one, _known(users, one.sender)) for one in archive.messages):
        if isinstance(where, str):
            row = tx.one(
                "SELECT c.id, c.last_seq, c.last_count, c.last_time FROM chat_group g"
                " JOIN conversation c ON c.id = g.conversation WHERE g.folded = ?",
                where,
            )
            if row is None:
                raise InvalidRequest(f"the archive has messages to a group {where!r} that is not there")
        else:
            row = tx.one(
                "SELECT id, last_seq, last_count, last_time FROM conversation WHERE kind = ? AND low = ? AND high = ?",
                C2C,
                *where,
            )
        if row is not None:
            found[where] = _Place(*row)
        elif not isinstance(where, str):
            missing.append(where)
    keys = dict(zip(missing, tx.next_keys("conversation", len(missing)), strict=True))
    names = {account.key: account.user_id for account in users.known.values()}
    add_conversations(tx, [(key, C2C, low, high) for (low, high), key in keys.items()])
    add_sides(
        tx,
        [
            NewSide(account, key, ids.c2c(names[peer]), peer)
            for (low, high), key in keys.items()
            for account, peer in ((low, high), (high, low))
        ],
    )
    return found | {pair: _Place(key, 0, 0, 0) for pair, key in keys.items()}


def _read(tx: Transaction, account: Account, mark: ArchivedRead) -> None:
    """Read everything of a conversation but its newest messages."""
    row = tx.one(
        "SELECT s.conversation, s.read_seq, c.last_seq, c.last_count FROM state s"
        " JOIN conversation c ON c.id = s.conversation WHERE s.account = ? AND s.folded = ?",
        account.key,
        ids.fold(mark.conversation_id),
    )
    if row is None:
        raise InvalidRequest(f"{mark.user_id} has no conversation {mark.conversation_id!r} to be read")
    key, read_seq, last_seq, last_count = row
    wanted = last_seq
    if mark.unread:
        oldest = tx.one(
            "SELECT seq FROM message WHERE conversation = ? AND count = ? AND type <> ?",
            key,
            max(1, last_count - mark.unread + 1),
            _TIP,
        )
        wanted = last_seq if oldest is None else oldest[0] - 1
    if wanted > read_seq:
        count = tx.one("SELECT count FROM message WHERE conversation = ? AND seq = ?", key, wanted)
        tx.execute(
            "UPDATE state SET read_seq = ?, floor_count = ? WHERE account = ? AND conversation = ?",
            wanted,
            0 if count is None else count[0],
            account.key,
            key,
        )
