"""What somebody would have on the screen who hears of nothing but the changes: rows, messages, echoes, drafts.

It asks the session only where a change says so. So a change that is missing, or told in the wrong order, shows.
"""

from collections.abc import Iterable, Mapping

from tui_chat.client import changes, sending
from tui_chat.client.core import Core
from tui_chat.protocol.models import Message


class Screen:
    """The screen of one process of a device. `drafts`: what was typed there and not sent, which outlives it."""

    def __init__(self, name: str, core: Core, drafts: dict[str, str]):
        self.name = name
        self.core = core
        self.drafts = drafts
        self.rows: set[str] = set(core.state.shown)
        self.messages: dict[str, dict[int, Message]] = {}
        self.unnumbered: dict[str, str] = {}
        """clientID -> conversationID of one's own messages that stand there without their number."""
        self._show_queued()
        core.announcer.subscribe(self._take)

    def _show_queued(self) -> None:
        names = {one for slot in self.core.outbox.queue for one in slot.entry.conversations()}
        self.unnumbered = {one.client_id: name for name in names for one in sending.pending(self.core, name)}

    def show(self, conversation_id: str, messages: Iterable[Message]) -> None:
        """Messages of a page, or of a change: the higher version stays."""
        shown = self.messages.setdefault(conversation_id, {})
        for message in messages:
            if not message.message_seq:
                self.unnumbered[message.client_id] = conversation_id
                continue
            self.unnumbered.pop(message.client_id, None)
            before = shown.get(message.message_seq)
            if before is None or message.version >= before.version:
                shown[message.message_seq] = message

    def _take(self, told: list[changes.Change]) -> None:
        for change in told:
            match change:
                case changes.ConversationsUpdated(conversation_id_list=ids):
                    self.rows.update(one for one in ids if one in self.core.state.shown)
                case changes.ConversationsRestored(conversation_id_list=ids):
                    self.rows.update(one for one in ids if one in self.core.state.shown)
                case changes.ConversationsHidden(conversation_id_list=ids):
                    self._gone(ids)
                case changes.ConversationsRemoved(conversation_id_list=ids, device=device):
                    self._gone(ids)
                    self._drafts_gone(ids, device, told)
                case changes.StateReset():
                    self.rows = set(self.core.state.shown)
                    self.messages = {}
                    self._show_queued()
                case changes.MessagesAdded(conversation_id=conversation_id, messages=messages):
                    self.show(conversation_id, messages)
                case changes.MessageUpdated(conversation_id=conversation_id, message=message):
                    stands = message.message_seq in self.messages.get(conversation_id, {})
                    if stands or message.client_id in self.unnumbered:
                        self.show(conversation_id, [message])
                case changes.HistoryRestored(conversation_id=conversation_id):
                    self._gone([conversation_id], row=False)  # to be loaded anew
                    waiting = sending.pending(self.core, conversation_id)
                    self.unnumbered |= {one.client_id: conversation_id for one in waiting}
                case changes.SendFailed(client_id=client_id):
                    self.unnumbered.pop(client_id, None)
                case changes.HistoryCleared(conversation_id=conversation_id, cleared_through=through):
                    shown = self.messages.get(conversation_id, {})
                    self.messages[conversation_id] = {seq: one for seq, one in shown.items() if seq > through}
                case _:
                    pass

    def _gone(self, ids: Iterable[str], *, row: bool = True) -> None:
        for conversation_id in ids:
            if row:
                self.rows.discard(conversation_id)
            self.messages.pop(conversation_id, None)
            for client_id in [one for one, where in self.unnumbered.items() if where == conversation_id]:
                del self.unnumbered[client_id]

    def _drafts_gone(self, ids: Iterable[str], device: str | None, told: list[changes.Change]) -> None:
        """One's own deletion takes the draft, which the dialog had named; another device's offers it."""
        kept = {one.conversation_id: one.text for one in told if isinstance(one, changes.DraftKept)}
        for conversation_id in ids:
            text = self.drafts.pop(conversation_id, "")
            if text and device is not None:
                assert kept.get(conversation_id) == text, f"{self.name}: the draft {text} of {conversation_id} is lost"

    # What must hold

    def check(self) -> None:
        """At any time when all has been told: the rows are those of the session, and no draft is lost."""
        if self.core.announcer._waiting:
            return
        shown = self.core.state.shown
        assert self.rows == shown.keys(), f"{self.name}: the screen lists {sorted(self.rows)}, not {sorted(shown)}"
        for conversation_id, text in self.drafts.items():
            found = self.core.store.draft(conversation_id)
            assert found == text, f"{self.name}: the draft of {conversation_id} is {found!r}, not {text!r}"

    def check_at_rest(self, visible: Mapping[str, Mapping[int, Message]]) -> None:
        """No message waits for its number, and those that stand there are as the server has them."""
        assert not self.unnumbered, f"{self.name}: {self.unnumbered} stand there without a number"
        for conversation_id, messages in self.messages.items():
            for seq, message in messages.items():
                true = visible.get(conversation_id, {}).get(seq)
                assert true is None or same_text(message, true), (
                    f"{self.name}: {conversation_id} {seq} reads {message.text!r}, true is {true.text!r}"
                )


def same_text(found: Message, true: Message) -> bool:
    """Whether they say the same; nicks are not told anew with old messages."""
    return (found.version, found.text, found.recalled, sorted(found.reactions)) == (
        true.version,
        true.text,
        true.recalled,
        sorted(true.reactions),
    )
