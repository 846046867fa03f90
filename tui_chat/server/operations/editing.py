"""Editing a message, and recalling it."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from tui_chat.protocol import limits
from tui_chat.protocol.errors import InvalidRequest, NotYourMessage, RecallExpired
from tui_chat.protocol.requests import Done, EditMessage, MessageSent
from tui_chat.protocol.text import accept_text
from tui_chat.server.engines import Transaction

from . import indexing
from .caller import Caller
from .changing import Subject, as_it_stands, not_recalled, store, take, tell
from .events import position
from .extras import Extra
from .grouprows import check_writable
from .idempotency import once
from .naming import folded_users, named
from .state import GROUP, JOINED, MEMBER
from .users import accounts_of

_RECALL_MS: Final = limits.RECALL_SECONDS * 1000
_NO_MENTION: Final = "DELETE FROM mention WHERE account = ? AND conversation = ? AND seq = ?"


def edit(tx: Transaction, caller: Caller, conversation_id: str, message_seq: int, request: EditMessage) -> MessageSent:
    """Give a message of one's own another text, at any time; the last edit wins. A mention that it brings is counted.

    Raises:
        TextEmpty, TextTooLong, InvalidRequest, UserNotFound: the new text is none.
        InvalidConversation, ConversationNotFound, MessageNotFound, NotAMember, NotChangeable: as changing.take.
        NotYourMessage, MessageRecalled, OperationReused.
        GroupMuted, Blocked, UserErased: as grouprows.check_writable.
    """
    text = accept_text(request.text)
    if request.mentions is not None and len(request.mentions) > limits.MENTIONS:
        raise InvalidRequest(f"a message mentions at most {limits.MENTIONS} users")

    def carry_out(_: str) -> Done:
        subject = take(tx, caller, conversation_id, message_seq)
        if subject.sender != caller.user:
            raise NotYourMessage()
        not_recalled(subject)
        check_writable(tx, subject.own)
        return Done(event_seq=_edit(tx, caller, subject, text, request.mentions))

    tx.lock_room(caller.user, named(caller, conversation_id).folded)  # before `once` locks the user
    body = (conversation_id, message_seq, request)
    # What is kept for a retry holds no body: an answer must not outlive what it shows.
    done = once(tx, caller, "edit", request.operation_id, body, Done, carry_out)
    return MessageSent(message=as_it_stands(tx, caller, conversation_id, message_seq), event_seq=done.event_seq)


def _edit(tx: Transaction, caller: Caller, subject: Subject, text: str, mentions: Sequence[str] | None) -> int:
    before = subject.extra.mentions
    after = before if mentions is None else [one.user_id for one in accounts_of(tx, mentions)]
    if text == subject.message.text and set(after) == set(before):
        return position(tx, caller.user)
    sent = subject.extra.sent or digest(subject.message.text, subject.message.reply_to, before)
    extra = msgspec.structs.replace(subject.extra, mentions=after, sent=sent)
    store(tx, subject, extra, text=text, edited_at=tx.now)
    if set(after) != set(before):
        _mention(tx, subject, after)
    return tell(tx, subject.own.conversation, subject.message.message_seq)[caller.user]


def digest(text: str, reply_to: int | None, mentions: Sequence[str]) -> str:
    """What stands for a message's first form once it was edited, so that a retry of its sending is recognised."""
    form = msgspec.json.encode((text, reply_to, sorted(folded_users(mentions))))
    return blake2b(form, digest_size=16).hexdigest()


def recall(
    tx: Transaction, caller: Caller, conversation_id: str, message_seq: int, operation_id: str | None = None
) -> MessageSent:
    """Take a message back from everybody, up to limits.RECALL_SECONDS after it was sent. Its sender can; in a group,
    so can its owner and administrators with what those below them wrote. Recalling it twice is the same as once.

    Raises:
        InvalidConversation, ConversationNotFound, MessageNotFound, NotAMember, NotChangeable: as changing.take.
        NotYourMessage, RecallExpired, OperationReused.
    """

    def carry_out(_: str) -> Done:
        subject = take(tx, caller, conversation_id, message_seq)
        if subject.sender != caller.user and not _outranks(tx, caller, subject):
            raise NotYourMessage()
        if subject.message.recalled:
            return Done(event_seq=position(tx, caller.user))
        # A message from far ahead was sent while the clock was wrong: it is not left open until the clock gets there.
        if abs(tx.now - subject.message.time) > _RECALL_MS:
            raise RecallExpired(f"a message can be recalled for {limits.RECALL_SECONDS} seconds")
        by = None if subject.sender == caller.user else caller.user_id
        told = withdraw(tx, subject.own.conversation, message_seq, by)
        return Done(event_seq=told[caller.user])

    tx.lock_room(caller.user, named(caller, conversation_id).folded)  # before `once` locks the user
    done = once(tx, caller, "recall", operation_id, (conversation_id, message_seq), Done, carry_out)
    return MessageSent(message=as_it_stands(tx, caller, conversation_id, message_seq), event_seq=done.event_seq)


def withdraw(tx: Transaction, conversation: int, message_seq: int, by: str | None) -> dict[int, int]:
    """Take a message's body from everybody; the eventSeq of each who is told. The conversation is locked.

    `by`: userID of who does it, where that is not the sender. What counts as unread does not change: the place of the
    message is still there to be seen.
    """
    tx.lock_everybody((conversation,))
    extra = None if by is None else msgspec.json.encode(Extra(recalled_by=by)).decode()
    tx.execute(
        "UPDATE message SET text = '', extra = ?, edited_at = NULL, recalled = 1, version = version + 1"
        " WHERE conversation = ? AND seq = ?",
        extra,
        conversation,
        message_seq,
    )
    for table in ("reaction", "former_message"):
        tx.execute(f"DELETE FROM {table} WHERE conversation = ? AND seq = ?", conversation, message_seq)  # noqa: S608
    _unmention(tx, conversation, message_seq)
    indexing.changed(tx, conversation, message_seq)
    return tell(tx, conversation, message_seq, former=True)


def _outranks(tx: Transaction, caller: Caller, subject: Subject) -> bool:
    """Whether the caller's role in the group is above the sender's, who may have left it."""
    if subject.own.kind != GROUP:
        return False
    row = tx.one(
        "SELECT role FROM state WHERE account = ? AND conversation = ? AND membership = ?",
        subject.sender,
        subject.own.conversation,
        JOINED,
    )
    return subject.own.role > (MEMBER if row is None else row[0])


def _mention(tx: Transaction, subject: Subject, user_ids: Sequence[str]) -> None:
    """Let a message mention exactly these of those who see it; of who has gone it stays as it was, as the message."""
    conversation, seq = subject.own.conversation, subject.message.message_seq
    before = _mentioned(tx, conversation, seq, former=False)
    tx.many(_NO_MENTION, [(account, conversation, seq) for account in sorted(before)])
    rows = tx.in_list(
        "SELECT s.account FROM state s JOIN account a ON a.id = s.account"
        " WHERE s.conversation = ? AND s.account <> ? AND s.leave_seq IS NULL AND (s.join_seq <= ? OR EXISTS"
        " (SELECT 1 FROM past_period p WHERE p.account = s.account AND p.conversation = s.conversation"
        " AND p.join_seq <= ? AND p.leave_seq >= ?)) AND a.folded IN (?*)",
        folded_users(user_ids),
        conversation,
        subject.sender,
        seq,
        seq,
        seq,
    )
    called = {row[0] for row in rows}
    tx.many(
        "INSERT INTO mention (account, conversation, seq) VALUES (?, ?, ?)",
        [(account, conversation, seq) for account in sorted(called)],
    )
    _recount(tx, conversation, before | called)


def _unmention(tx: Transaction, conversation: int, seq: int) -> None:
    before = _mentioned(tx, conversation, seq, former=True)
    tx.many(_NO_MENTION, [(account, conversation, seq) for account in sorted(before)])
    _recount(tx, conversation, before)


def _mentioned(tx: Transaction, conversation: int, seq: int, *, former: bool) -> set[int]:
    """Whom a message mentions; `former`: also who has gone."""
    return {
        row[0]
        for row in tx.all(
            "SELECT s.account FROM state s JOIN mention m ON m.account = s.account AND m.conversation = s.conversation"
            " AND m.seq = ? WHERE s.conversation = ? AND (s.leave_seq IS NULL OR ? = 1)",
            seq,
            conversation,
            int(former),
        )
    }


def _recount(tx: Transaction, conversation: int, accounts: set[int]) -> None:
    """Count the unread mentions of these in a conversation anew."""
    tx.many(
        "UPDATE state SET mention_count = (SELECT COUNT(*) FROM mention m WHERE m.account = state.account"
        " AND m.conversation = state.conversation AND m.seq > state.read_seq AND m.seq > state.hidden"
        " AND m.seq > state.cleared) WHERE account = ? AND conversation = ?",
        [(account, conversation) for account in sorted(accounts)],
    )
