"""Reacting to a message with an emoji, and taking that back."""

import msgspec

from tui_chat.protocol import limits
from tui_chat.protocol.emoji import accept_emoji
from tui_chat.protocol.errors import TooManyReactions
from tui_chat.protocol.requests import MessageSent
from tui_chat.server.engines import Transaction

from .blocking import check_may_write
from .caller import Caller
from .changing import Subject, as_it_stands, not_recalled, store, take, tell
from .events import position
from .extras import Tally


def react(tx: Transaction, caller: Caller, conversation_id: str, message_seq: int, emoji: str) -> MessageSent:
    """Add one's reaction; adding it twice is the same as once.

    Raises:
        InvalidEmoji.
        InvalidConversation, ConversationNotFound, MessageNotFound, NotAMember, NotChangeable: as changing.take.
        MessageRecalled, TooManyReactions.
        Blocked, UserErased: the other side takes nothing from the caller, or is no more.
    """
    emoji = accept_emoji(emoji)
    subject = take(tx, caller, conversation_id, message_seq)
    not_recalled(subject)
    if subject.own.peer is not None:
        check_may_write(tx, caller.user, subject.own.peer)
    tallies = dict(subject.extra.reactions)
    if emoji not in tallies and len(tallies) >= limits.REACTION_KINDS:
        raise TooManyReactions(f"a message has at most {limits.REACTION_KINDS} different reactions")
    added = tx.execute(
        "INSERT INTO reaction (conversation, seq, account, emoji, version) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (conversation, seq, account, emoji) DO NOTHING",
        subject.own.conversation,
        message_seq,
        caller.user,
        emoji,
        subject.message.version,
    )
    if not added:
        return _unchanged(tx, caller, conversation_id, message_seq)
    before = tallies.get(emoji, Tally(0, []))
    first = before.first if len(before.first) >= limits.REACTION_USERS else [*before.first, caller.user_id]
    tallies[emoji] = Tally(before.count + 1, first)
    return _changed(tx, caller, conversation_id, subject, tallies)


def take_back(tx: Transaction, caller: Caller, conversation_id: str, message_seq: int, emoji: str) -> MessageSent:
    """Take one's reaction back; where there is none, nothing happens.

    Raises:
        InvalidEmoji.
        InvalidConversation, ConversationNotFound, MessageNotFound, NotAMember, NotChangeable: as changing.take.
        MessageRecalled.
    """
    emoji = accept_emoji(emoji)
    subject = take(tx, caller, conversation_id, message_seq)
    not_recalled(subject)
    conversation = subject.own.conversation
    removed = tx.execute(
        "DELETE FROM reaction WHERE conversation = ? AND seq = ? AND account = ? AND emoji = ?",
        conversation,
        message_seq,
        caller.user,
        emoji,
    )
    if not removed:
        return _unchanged(tx, caller, conversation_id, message_seq)
    tallies = dict(subject.extra.reactions)
    before = tallies.pop(emoji)
    if before.count > 1:
        first = before.first
        if caller.user_id in first:
            rows = tx.all(
                "SELECT a.user_id FROM reaction r JOIN account a ON a.id = r.account"
                " WHERE r.conversation = ? AND r.seq = ? AND r.emoji = ? ORDER BY r.version LIMIT ?",
                conversation,
                message_seq,
                emoji,
                limits.REACTION_USERS,
            )
            first = [row[0] for row in rows]
        # In its old place: reactions do not jump about when one of them is taken back.
        tallies = {
            one: Tally(before.count - 1, first) if one == emoji else tally
            for one, tally in subject.extra.reactions.items()
        }
    return _changed(tx, caller, conversation_id, subject, tallies)


def _changed(
    tx: Transaction, caller: Caller, conversation_id: str, subject: Subject, tallies: dict[str, Tally]
) -> MessageSent:
    extra = msgspec.structs.replace(subject.extra, reactions=tallies)
    store(tx, subject, extra, text=subject.message.text, edited_at=subject.message.edited_at)
    told = tell(tx, subject.own.conversation, subject.message.message_seq)
    message = as_it_stands(tx, caller, conversation_id, subject.message.message_seq)
    return MessageSent(message=message, event_seq=told[caller.user])


def _unchanged(tx: Transaction, caller: Caller, conversation_id: str, message_seq: int) -> MessageSent:
    message = as_it_stands(tx, caller, conversation_id, message_seq)
    return MessageSent(message=message, event_seq=position(tx, caller.user))
