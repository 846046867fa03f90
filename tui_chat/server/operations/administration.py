"""What administrators see of users, and do to them and to messages; what they do is written down."""

from typing import Final

from tui_chat.protocol import limits
from tui_chat.protocol.errors import ConversationNotFound, InvalidConversation, MessageNotFound
from tui_chat.protocol.ids import ConversationType, c2c, fold, parse_conversation_id
from tui_chat.protocol.models import AccountRow, MessageType
from tui_chat.protocol.requests import AccountPage, ChangeAccount, Done
from tui_chat.protocol.text import clean_name
from tui_chat.server.engines import Row, Transaction

from . import audit
from .caller import Caller, administrators_only
from .editing import withdraw
from .erasing import check_not_last_administrator
from .extras import MESSAGE_TYPES
from .paging import after_key, cut
from .state import C2C
from .users import account_of

WRITTEN: Final = (MessageType.TEXT, MessageType.CUSTOM)
"""What somebody wrote; tips and notices are the server's words."""
_ROW: Final = (
    "SELECT a.id, a.user_id, a.nick, a.administrator, a.created, MAX(d.last_seen), COUNT(d.id) FROM account a"
    " LEFT JOIN device d ON d.account = a.id AND d.revoked IS NULL AND d.refresh_until > ?"
)
_GROUPED: Final = " GROUP BY a.id, a.user_id, a.nick, a.administrator, a.created"


def users(
    tx: Transaction, caller: Caller, *, q: str = "", cursor: str | None = None, limit: int = limits.PAGE_DEFAULT
) -> AccountPage:
    """Accounts in the order in which they were made; with `q`, those whose userID or nick begins like that.

    Raises:
        AdministratorOnly.
        InvalidRequest: the cursor or the limit is none.
    """
    administrators_only(tx, caller)
    begin = fold(clean_name(q[: limits.SEARCH_CHARACTERS]))
    end = begin + "\U0010ffff"
    rows = tx.all(
        f"{_ROW} WHERE a.id > ? AND a.erased IS NULL"
        " AND ((a.folded >= ? AND a.folded < ?) OR (a.nick_folded >= ? AND a.nick_folded < ?))"
        f"{_GROUPED} ORDER BY a.id LIMIT ?",
        tx.now,
        after_key(cursor, limit),
        begin,
        end,
        begin,
        end,
        limit + 1,
    )
    here, following = cut(rows, limit)
    return AccountPage(users=[_shown(row) for row in here], next=following)


def user(tx: Transaction, caller: Caller, user_id: str) -> AccountRow:
    """One account. Raises AdministratorOnly, UserNotFound."""
    administrators_only(tx, caller)
    key = account_of(tx, user_id).key
    return _shown(tx.all(f"{_ROW} WHERE a.id = ?{_GROUPED}", tx.now, key)[0])


def change_user(tx: Transaction, caller: Caller, user_id: str, request: ChangeAccount) -> AccountRow:
    """Make somebody an administrator, or no longer one.

    Raises:
        AdministratorOnly, UserNotFound.
        LastAdministrator: there would be none.
    """
    administrators_only(tx, caller)
    target = account_of(tx, user_id)
    tx.lock_users((target.key,))
    before = user(tx, caller, user_id)
    if before.administrator == request.administrator:
        return before
    if not request.administrator:
        check_not_last_administrator(tx, target.key)
    tx.execute("UPDATE account SET administrator = ? WHERE id = ?", int(request.administrator), target.key)
    if not request.administrator:
        tx.execute("DELETE FROM invite WHERE creator = ? AND account IS NULL", target.key)
    audit.note(tx, caller, "user.promoted" if request.administrator else "user.demoted", target.user_id)
    return _shown(tx.all(f"{_ROW} WHERE a.id = ?{_GROUPED}", tx.now, target.key)[0])


def remove_message(tx: Transaction, caller: Caller, conversation_id: str, message_seq: int) -> Done:
    """Take the body of what somebody wrote from everybody; it stands there as recalled by the administrator. A second
    time changes nothing.

    A one-to-one conversation has another name on each side, so it is named by both: `C2Calice:bob`, in either order;
    with one userID it is the caller's own.

    Raises:
        AdministratorOnly, InvalidConversation, ConversationNotFound.
        MessageNotFound: there is none of that number, or nobody wrote it, or nobody can see it any more.
    """
    administrators_only(tx, caller)
    name, conversation = _conversation(tx, caller, conversation_id)
    tx.lock_conversations((conversation,))
    row = tx.one(
        "SELECT a.user_id, m.type, m.text, m.recalled FROM message m JOIN account a ON a.id = m.sender"
        " WHERE m.conversation = ? AND m.seq = ?",
        conversation,
        message_seq,
    )
    if row is None or row[2] is None or MESSAGE_TYPES[row[1]] not in WRITTEN:
        raise MessageNotFound()
    if row[3]:
        return Done()
    told = withdraw(tx, conversation, message_seq, caller.user_id)
    audit.note(tx, caller, "message.removed", row[0], conversationID=name, messageSeq=message_seq)
    return Done(event_seq=told.get(caller.user, 0))


def _conversation(tx: Transaction, caller: Caller, conversation_id: str) -> tuple[str, int]:
    """A conversation as the log names it, and its key. Also one with somebody who was erased."""
    first, colon, second = conversation_id.partition(":")
    parsed = parse_conversation_id(first)
    if parsed.type is ConversationType.GROUP and not colon:
        row = tx.one("SELECT conversation FROM chat_group WHERE folded = ?", fold(parsed.target))
        name = str(parsed)
    elif parsed.type is ConversationType.C2C:
        both = sorted((fold(parsed.target), fold(second if colon else caller.user_id)))
        row = tx.one(
            "SELECT c.id FROM conversation c JOIN account a ON a.folded = ? JOIN account b ON b.folded = ?"
            " WHERE c.kind = ? AND ((c.low = a.id AND c.high = b.id) OR (c.low = b.id AND c.high = a.id))",
            *both,
            C2C,
        )
        name = f"{c2c(both[0])}:{both[1]}"
    else:
        raise InvalidConversation("nothing is removed from the system's conversation")
    if row is None:
        own = parsed.type is ConversationType.C2C and not colon
        hint = f" of yours; one of two others is named by both, as {first}:NAME" if own else ""
        raise ConversationNotFound(f"there is no conversation {conversation_id[:80]!r}{hint}")
    return name, row[0]


def _shown(row: Row) -> AccountRow:
    _, user_id, nick, administrator, created, last_seen, device_count = row
    return AccountRow(
        user_id=user_id,
        nick=nick,
        administrator=bool(administrator),
        created_at=created,
        last_seen_at=last_seen,
        device_count=device_count,
    )
