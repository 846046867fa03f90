"""One's own messages between the keyboard and the server's word."""

from collections.abc import Callable

from tui_chat.protocol.models import Message

from .entries import QueuedSend


class Echoes:
    """Messages that are on the screen without their number."""

    def __init__(self, user_id: str, *, nick: Callable[[], str | None]):
        self.user_id = user_id
        self._nick = nick
        self._shown: set[str] = set()

    def message(self, entry: QueuedSend) -> Message:
        """How a queued message looks: messageSeq 0."""
        return Message(
            conversation_id=entry.conversation_id,
            message_seq=0,
            client_id=entry.client_id,
            sender=self.user_id,
            time=entry.time,
            text=entry.text,
            nick=self._nick(),
            reply_to=entry.reply_to,
            mentions=entry.mentions,
        )

    def show(self, entry: QueuedSend) -> Message:
        """Note that it is on the screen."""
        self._shown.add(entry.client_id)
        return self.message(entry)

    def is_echo(self, message: Message) -> bool:
        """Whether this message stands there without its number; once."""
        if message.client_id in self._shown:
            self._shown.discard(message.client_id)
            return True
        return False

    def stands(self, client_id: str) -> bool:
        """Whether it is on the screen without its number."""
        return client_id in self._shown

    def drop(self, client_id: str) -> bool:
        """It is not on the screen any more, or has its number; whether it still stood there without."""
        if client_id in self._shown:
            self._shown.discard(client_id)
            return True
        return False
