"""Who has read a message."""

from tui_chat.protocol import limits
from tui_chat.protocol.errors import NotAMember, NotYourMessage, TooManyReaders
from tui_chat.protocol.models import User
from tui_chat.protocol.requests import MessageReaders
from tui_chat.server.engines import Transaction

from .caller import Caller
from .changing import look_at, not_recalled
from .state import GROUP, JOINED


def readers(tx: Transaction, caller: Caller, conversation_id: str, message_seq: int) -> MessageReaders:
    """Of those whom a message of the caller's was sent to and who are still there, who has read it and who has not.

    Only its sender is told, as with Tencent: how far somebody reads is between the two. In groups of up to
    limits.READERS_MEMBERS.

    Raises:
        InvalidConversation, ConversationNotFound, MessageNotFound, MessageRecalled, NotYourMessage.
        NotAMember: the caller has left the group.
        TooManyReaders: the group is too large.
    """
    subject = look_at(tx, caller, conversation_id, message_seq)
    if subject.own.kind == GROUP and subject.own.membership != JOINED:
        raise NotAMember()
    if subject.sender != caller.user:
        raise NotYourMessage()
    not_recalled(subject)
    if subject.own.kind == GROUP:
        row = tx.one("SELECT member_count FROM chat_group WHERE conversation = ?", subject.own.conversation)
        if row is not None and row[0] > limits.READERS_MEMBERS:
            raise TooManyReaders(f"who has read is told in groups of up to {limits.READERS_MEMBERS} members")
    rows = tx.all(
        "SELECT a.user_id, a.nick, s.read_seq FROM state s JOIN account a ON a.id = s.account"
        " WHERE s.conversation = ? AND s.account <> ? AND s.leave_seq IS NULL AND (s.join_seq < ? OR EXISTS"
        " (SELECT 1 FROM past_period p WHERE p.account = s.account AND p.conversation = s.conversation"
        " AND p.join_seq < ? AND p.leave_seq >= ?)) ORDER BY a.folded",
        subject.own.conversation,
        caller.user,
        message_seq,
        message_seq,
        message_seq,
    )
    if subject.own.peer is not None and not rows:
        # The other side's account was erased, and its row with it; what it had read stays known.
        peers = tx.all("SELECT user_id, nick FROM account WHERE id = ?", subject.own.peer)
        rows = [(user_id, nick, subject.own.peer_read) for user_id, nick in peers]
    read = [User(user_id=user_id, nick=nick) for user_id, nick, read_seq in rows if read_seq >= message_seq]
    unread = [User(user_id=user_id, nick=nick) for user_id, nick, read_seq in rows if read_seq < message_seq]
    return MessageReaders(read=read, unread=unread, read_count=len(read), unread_count=len(unread))
