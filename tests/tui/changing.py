"""The part of the tests' session that changes messages, finds them, and says who has read them."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tui_chat.client.changes import Change, Connection, MessagesAdded, MessageUpdated
from tui_chat.client.results import FoundMessages, QueuedCommand
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.models import Member, Message, Reaction
from tui_chat.protocol.requests import MessageReaders


class Changing:
    """As a server does it, at once; without a connection it shows what waits, as a session does."""

    user_id: str
    connection: Connection
    calls: list[tuple[str, Any]]
    messages: dict[str, list[Message]]
    error: ChatError | None
    queue: list[QueuedCommand]
    people: dict[str, list[Member]]
    """groupID -> its members."""
    read_by: MessageReaders
    page: int
    """Messages in an answer of a search."""
    tell: Callable[..., None]
    _clock: Callable[[], int]

    @property
    def connected(self) -> bool:
        return self.connection is Connection.CONNECTED

    async def send_message(
        self, conversation_id: str, text: str, *, reply_to: int | None = None, mentions: Sequence[str] = ()
    ) -> Message:
        self.calls.append(("send", (conversation_id, text)))
        held = self.messages.setdefault(conversation_id, [])
        message = Message(
            conversation_id=conversation_id,
            message_seq=len(held) + 1,
            client_id=f"own-{len(held)}",
            sender=self.user_id,
            time=self._clock(),
            text=text,
            reply_to=reply_to,
            mentions=list(mentions),
        )
        held.append(message)
        self.tell(MessagesAdded(conversation_id=conversation_id, messages=[message]))
        return message

    def change(self, conversation_id: str, message_seq: int, **changes: Any) -> Message:
        """A message is another from now on; the screen is told."""
        held = self.messages[conversation_id]
        at = next(number for number, one in enumerate(held) if one.message_seq == message_seq)
        version = held[at].version + (1 if self.connected else 0)
        held[at] = msgspec.structs.replace(held[at], version=version, **changes)
        self._tell(MessageUpdated(conversation_id=conversation_id, message=held[at]))
        return held[at]

    def _tell(self, change: Change) -> None:
        self.tell(change)

    def _asked(self, what: Any, conversation_id: str, message_seq: int, *more: Any) -> None:
        self.calls.append((what, (conversation_id, message_seq, *more)))
        if self.error is not None:
            raise self.error
        if not self.connected:
            number = len(self.queue) + 1
            self.queue.append(
                QueuedCommand(
                    number=number,
                    what=what,
                    conversation_id_list=[conversation_id],
                    message_seq=message_seq,
                    attempted=False,
                )
            )

    async def edit_message(
        self, conversation_id: str, message_seq: int, text: str, *, mentions: Sequence[str] | None = None
    ) -> Message | None:
        self._asked("edit", conversation_id, message_seq, text, list(mentions or []))
        return self.change(conversation_id, message_seq, text=text, edited_at=self._clock())

    async def recall_message(self, conversation_id: str, message_seq: int) -> Message | None:
        self._asked("recall", conversation_id, message_seq)
        return self.change(conversation_id, message_seq, text="", recalled=True, reactions={})

    async def react(self, conversation_id: str, message_seq: int, emoji: str) -> Message | None:
        self._asked("react", conversation_id, message_seq, emoji)
        return self._reacted(conversation_id, message_seq, emoji, 1)

    async def unreact(self, conversation_id: str, message_seq: int, emoji: str) -> Message | None:
        self._asked("react", conversation_id, message_seq, "-" + emoji)
        return self._reacted(conversation_id, message_seq, emoji, -1)

    def _reacted(self, conversation_id: str, message_seq: int, emoji: str, step: int) -> Message:
        before = next(one for one in self.messages[conversation_id] if one.message_seq == message_seq).reactions
        count = before.get(emoji, Reaction(count=0)).count + step
        after = before | {emoji: Reaction(count=count, user_id_list=[self.user_id], mine=step > 0)}
        shown = {one: reaction for one, reaction in after.items() if reaction.count}
        return self.change(conversation_id, message_seq, reactions=shown)

    async def readers(self, conversation_id: str, message_seq: int) -> MessageReaders:
        self.calls.append(("readers", (conversation_id, message_seq)))
        if self.error is not None:
            raise self.error
        return self.read_by

    async def search(
        self, words: str, *, conversation_id: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> FoundMessages:
        self.calls.append(("search", (words, conversation_id, cursor)))
        if self.error is not None:
            raise self.error
        held = self.messages[conversation_id] if conversation_id else [m for one in self.messages.values() for m in one]
        wanted = words.casefold().split()
        found = [one for one in held if all(word in one.text.casefold() for word in wanted)]
        found.sort(key=lambda one: -one.time)
        start = int(cursor or 0)
        end = start + self.page
        following = str(end) if len(found) > end and self.connected else None
        return FoundMessages(messages=found[start:end], next=following, here_only=not self.connected)

    async def members(self, group_id: str) -> list[Member]:
        self.calls.append(("members", group_id))
        if self.error is not None:
            raise self.error
        return self.people.get(group_id, [])
