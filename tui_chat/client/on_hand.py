"""Messages on this machine, as far as they can be read: a file that cannot be is one that holds nothing.

The server is asked for what is not here. So a disk that fails, or files that the system will not open, cost time and
no more; that they do is told.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from tui_chat.cache.store import EVERYTHING, CacheError, HistoryStore
from tui_chat.protocol.models import Message

Found = TypeVar("Found")


class OnHand:
    """A history whose every method answers."""

    def __init__(self, history: HistoryStore, *, disk_failed: Callable[[CacheError], None]):
        self._history = history
        self._disk_failed = disk_failed

    def tail(self, conversation_id: str, count: int) -> list[Message]:
        """The newest messages, oldest first."""
        return self._tried(lambda: self._history.tail(conversation_id, count), [])

    def before(self, conversation_id: str, message_seq: int, count: int) -> list[Message]:
        """Messages that come just before one, oldest first."""
        return self._tried(lambda: self._history.before(conversation_id, message_seq, count), [])

    def after(self, conversation_id: str, message_seq: int, count: int) -> list[Message]:
        """Messages that come just after one, oldest first."""
        return self._tried(lambda: self._history.after(conversation_id, message_seq, count), [])

    def one(self, conversation_id: str, message_seq: int) -> Message | None:
        """One message."""
        found = self.before(conversation_id, message_seq + 1, 1)
        return found[0] if found and found[0].message_seq == message_seq else None

    def is_known(self, message: Message) -> bool:
        """Whether it, or a later state of it, is known to be here: false where nobody has looked at the conversation,
        whose file is not opened to find out.
        """
        return self._history.version_at_hand(message.conversation_id, message.message_seq) >= message.version

    def newest(self, message: Message) -> Message:
        """A message that comes from somewhere else, or the later state of it that has come meanwhile."""
        if self._history.version_at_hand(message.conversation_id, message.message_seq) <= message.version:
            return message
        return self.one(message.conversation_id, message.message_seq) or message

    def forget(self, conversation_id: str) -> None:
        """Drop what is held of a conversation."""
        self._tried(lambda: self._history.clear_through(conversation_id, EVERYTHING), None)

    def add(self, conversation_id: str, messages: Iterable[Message], *, covers: tuple[int, int] | None = None) -> None:
        """Take messages in. Where they cannot be written they are asked for again another time."""
        self._tried(lambda: self._history.add(conversation_id, messages, covers=covers), None)

    def _tried(self, work: Callable[[], Found], otherwise: Found) -> Found:
        try:
            return work()
        except CacheError as error:
            self._disk_failed(error)
            return otherwise
