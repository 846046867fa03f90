"""What one does with messages: read, write, change, find, mark as read; and with drafts and flags."""

from collections.abc import Mapping, Sequence

from tui_chat.cache.store import CacheError, Closed
from tui_chat.protocol.limits import PAGE_DEFAULT
from tui_chat.protocol.models import Message
from tui_chat.protocol.requests import ItemFailure, MessagePage, MessageReaders

from . import searching, sending
from .core import Core
from .results import FoundMessages


class MessageCommands:
    """A part of ChatSession. All raise ChatError where they are refused; what goes through the queue waits where there
    is no connection, and what asks the server raises NotConnected.
    """

    _core: Core

    async def mark_read(self, conversation_id: str, message_seq: int | None = None) -> None:
        """Move the read mark forward, to the newest message unless told otherwise."""
        await sending.mark_read(self._core, conversation_id, message_seq)

    async def set_flags(
        self,
        conversation_id_list: Sequence[str],
        *,
        pinned: bool | None = None,
        muted: bool | None = None,
        marked_unread: bool | None = None,
    ) -> list[ItemFailure]:
        """Change flags of any number of conversations; answers those that were refused."""
        return await sending.set_flags(
            self._core, conversation_id_list, pinned=pinned, muted=muted, marked_unread=marked_unread
        )

    async def send_message(
        self, conversation_id: str, text: str, *, reply_to: int | None = None, mentions: Sequence[str] = ()
    ) -> Message:
        """Send a message. It is shown at once (MessagesAdded with messageSeq 0), then MessageUpdated gives its number.

        Returns it with its number; where the server cannot be reached, the queued one with messageSeq 0.

        Raises:
            TextEmpty, TextTooLong, InvalidConversation: before anything is shown.
            NotAMember, UserNotFound, ReadOnly, …: as the server refused; SendFailed tells the screen.
        """
        return await sending.send(self._core, conversation_id, text, reply_to=reply_to, mentions=mentions)

    async def edit_message(
        self, conversation_id: str, message_seq: int, text: str, *, mentions: Sequence[str] | None = None
    ) -> Message | None:
        """Give a message of one's own another text; without `mentions` those of before stay. Shown at once.

        Returns the message as it is now; where the server cannot be reached, as it will be (None where it is not on
        this machine).

        Raises:
            TextEmpty, TextTooLong, MessageNotFound: before anything is shown.
            MessageRecalled, NotYourMessage, NotChangeable, NotAMember, …: as the server refused, and CommandRefused
                tells it to those who did not wait; the text before it is shown again.
        """
        return await sending.edit(self._core, conversation_id, message_seq, text, mentions=mentions)

    async def recall_message(self, conversation_id: str, message_seq: int) -> Message | None:
        """Take a message back from everybody; `server.limits.recall_seconds` after it was sent it is too late.

        Returns and raises as `edit_message`; RecallExpired where it is late.
        """
        return await sending.recall(self._core, conversation_id, message_seq)

    async def react(self, conversation_id: str, message_seq: int, emoji: str) -> Message | None:
        """Add one's reaction to a message. Returns and raises as `edit_message`; InvalidEmoji, TooManyReactions."""
        return await sending.react(self._core, conversation_id, message_seq, emoji, there=True)

    async def unreact(self, conversation_id: str, message_seq: int, emoji: str) -> Message | None:
        """Take one's reaction back. Returns and raises as `react`."""
        return await sending.react(self._core, conversation_id, message_seq, emoji, there=False)

    async def readers(self, conversation_id: str, message_seq: int) -> MessageReaders:
        """Who has read a message of one's own, and who has not. Raises NotConnected, NotYourMessage, TooManyReaders."""
        return await self._core.calls.readers(conversation_id, message_seq)

    async def search(
        self, words: str, *, conversation_id: str | None = None, cursor: str | None = None, limit: int = PAGE_DEFAULT
    ) -> FoundMessages:
        """Messages in which all these words stand, the newest first; `cursor`: go on where an answer before ended.

        Where the server cannot be reached, what is on this machine is searched, and the answer says so (`here_only`).

        Raises:
            NotConnected: while going on in an answer of the server's.
        """
        return await searching.search(self._core, words, conversation_id=conversation_id, cursor=cursor, limit=limit)

    async def history(
        self, conversation_id: str, *, before: int | None = None, after: int | None = None, limit: int = PAGE_DEFAULT
    ) -> MessagePage:
        """A page of history, oldest first: from the cache, from the server what is missing; never what was cleared."""
        return await self._core.pages.page(conversation_id, before=before, after=after, limit=limit)

    def cached_tail(self, conversation_id: str, count: int = PAGE_DEFAULT) -> list[Message]:
        """The newest messages that are on this machine, oldest first; at once."""
        return self._core.pages.tail(conversation_id, count)

    def pending_messages(self, conversation_id: str) -> list[Message]:
        """One's own messages that wait for the server, oldest first; their messageSeq is 0."""
        return sending.pending(self._core, conversation_id)

    def draft(self, conversation_id: str) -> str:
        """The unsent text of a conversation, or nothing."""
        return self._core.store.draft(conversation_id)

    def set_draft(self, conversation_id: str, text: str) -> None:
        """Keep an unsent text; an empty one is forgotten. After `close` nothing is kept any more."""
        try:
            self._core.store.set_draft(conversation_id, text)
        except Closed:
            return  # another process may have the account by now
        except CacheError as error:
            self._core.house.disk_failed(error)
        self._core.house.wrote()

    @property
    def drafts(self) -> Mapping[str, str]:
        """conversationID -> unsent text."""
        return self._core.store.drafts()

    async def typing(self, conversation_id: str) -> None:
        """Tell the others that one types; nothing where there is no connection just now."""
        self._core.stream.typing(conversation_id)
