"""One-to-one messages that were asked for at the same time, in as many statements as one takes alone."""

from collections.abc import Sequence

from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.requests import MessageSent, SendMessage
from tui_chat.server.engines import Alike, Transaction

from . import messages
from .caller import Caller
from .letters import Letter, deliver
from .rooms import BetweenTwo, between_many


class Sending(Alike[MessageSent]):
    """A message on its way into a one-to-one conversation; see messages.send."""

    def __init__(self, caller: Caller, conversation_id: str, request: SendMessage) -> None:
        self.caller = caller
        self.conversation_id = conversation_id
        self.request = request

    def __call__(self, tx: Transaction) -> MessageSent:
        """Send it alone."""
        return messages.send(tx, self.caller, self.conversation_id, self.request)

    @staticmethod
    def together(tx: Transaction, jobs: "Sequence[Sending]") -> list[MessageSent]:
        """Send those that come before the first that is not as most are: the conversation is begun, and none of those
        before is of the same one; it can be sent, answers nothing, mentions nobody and was not sent before."""
        named: list[tuple[Sending, str, str]] = []
        for one in jobs:
            try:
                where, text = messages.checked(one.caller, one.conversation_id, one.request)
            except ChatError:
                break  # It is told what is wrong when it is sent alone.
            if one.request.reply_to is not None or one.request.mentions:
                break
            named.append((one, where.folded, text))
        rooms = between_many(tx, [(one.caller.user, folded) for one, folded, _ in named])
        letters: dict[int, Letter] = {}
        for one, folded, text in named:
            room = rooms.get((one.caller.user, folded))
            if room is None or room.conversation in letters or not _is_open(room):
                break
            letters[room.conversation] = Letter(one.caller, room, one.request.client_id, text)
        return deliver(tx, list(letters.values())) or []


def _is_open(room: BetweenTwo) -> bool:
    try:
        room.check_writable()
    except ChatError:
        return False
    return True
