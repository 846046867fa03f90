"""What arrives becomes state: reduce, keep in the cache, tell. The one path of every event, one's own deletions too."""

from collections.abc import Callable, Iterable

from tui_chat.cache.store import AccountStore, CacheError
from tui_chat.protocol import events
from tui_chat.protocol.models import Conversation, Message

from . import changes, cursors, effects, sync
from .announcer import Announcer
from .doubt import Doubt
from .on_hand import OnHand
from .state import State
from .undo_log import UndoLog


class Receiver:
    """Applies ranges and snapshots, each in one go: nothing here awaits."""

    def __init__(
        self,
        *,
        state: State,
        store: AccountStore,
        on_hand: OnHand,
        doubt: Doubt,
        announcer: Announcer,
        undo_log: UndoLog,
        user_id: str,
        clock: Callable[[], int],
        is_echo: Callable[[Message], bool],
        overlaid: Callable[[Message], Message],
        wrote: Callable[[bool], None],
        inexact: Callable[[str], None],
        position_moved: Callable[[], None],
        signed_out: Callable[[], None],
        nick_changed: Callable[[str | None], None],
        disk_failed: Callable[[CacheError], None],
    ):
        self._state = state
        self._store = store
        self._on_hand = on_hand
        self._doubt = doubt
        self._announcer = announcer
        self._undo_log = undo_log
        self._user_id = user_id
        self._clock = clock
        self._is_echo = is_echo
        """Whether a message of one's own is on the screen already, without its number; asked once a message."""
        self._overlaid = overlaid
        """A message as it is shown, with what is queued for it."""
        self._wrote = wrote
        """Something waits for the disk; true: something must vanish from it."""
        self.inexact = inexact
        """How a conversation stands has to be asked for."""
        self._position_moved = position_moved
        self._signed_out = signed_out
        self._nick_changed = nick_changed
        """One's own."""
        self._disk_failed = disk_failed

    def receive(self, received: events.EventRange, *, while_away: bool = False) -> sync.Applied | sync.Gap | sync.Old:
        """Take a range in. Raises msgspec.DecodeError where it cannot be read; nothing is changed then."""
        applied = sync.reduce(self._state, received)
        if isinstance(applied, sync.Applied):
            self._apply(applied, while_away)
            self._position_moved()
        return applied

    def replace(self, conversations: Iterable[Conversation], cursor: str, *, keep_history: bool) -> None:
        """Put a snapshot in the place of all state. Without keep_history (a new epoch) all cached messages go too."""
        rows = {row.conversation_id: row for row in conversations}
        renumbered = self._state.cursor is not None and not keep_history
        if not keep_history:
            self._doubt.end()
        elif self._state.cursor is not None and self._state.position != cursors.position_of(cursor):
            self._doubt.begin()  # before the cursor that lies beyond what was left out
        clear = {row.conversation_id: row.cleared_through for row in rows.values() if row.cleared_through}
        try:
            self._store.replace(rows.values(), cursor, clear=clear, keep_history=keep_history)
        except CacheError as error:
            self._disk_failed(error)
        self._state.cursor = cursor  # first: by it is known what of the queue still means what it meant
        self._state.position = cursors.position_of(cursor)
        self._state.numbering += renumbered
        self._state.fill(rows, ())
        self._wrote(True)
        self._announcer.put(changes.StateReset(renumbered=renumbered))
        self._position_moved()

    def adopt(self, told: Conversation, before: Conversation | None) -> bool:
        """A conversation that was asked for; false where it changed meanwhile and must be asked for again."""
        conversation_id = told.conversation_id
        if self._state.conversations.get(conversation_id) is not before:
            return False
        step = sync.tell(self._state, told)
        if step is None:
            return True
        self._apply(step, False)
        return True

    def adopt_message(self, message: Message) -> None:
        """A message as an answer has it: taken in where it is held, whatever its event does later."""
        conversation_id, seq = message.conversation_id, message.message_seq
        if conversation_id not in self._state.conversations:
            return  # deleted since: where a reset took the row, nobody told how far it was cleared
        if seq <= self._state.shown_cleared_through(conversation_id):
            return
        held = self._on_hand.one(conversation_id, seq)
        if held is not None and held.version >= message.version:
            return
        if held is not None:
            self._on_hand.add(conversation_id, [message])
            self._wrote(False)
        self._announcer.put(changes.MessageUpdated(conversation_id=conversation_id, message=self._overlaid(message)))

    def found_stale(self, conversation_id: str) -> None:
        """A page told that another device deleted this without word."""
        if conversation_id in self._state.stale or conversation_id not in self._state.conversations:
            return
        self._state.stale.add(conversation_id)
        try:
            self._store.set_stale(self._state.stale)
        except CacheError as error:
            self._disk_failed(error)
        self._wrote(False)
        self._announcer.put(changes.ConversationStale(conversation_id_list=[conversation_id]))

    def _apply(self, applied: sync.Applied, while_away: bool) -> None:
        for effect in applied.effects:
            if isinstance(effect, effects.Inexact):
                self.inexact(effect.conversation_id)  # before the cursor that lies beyond it is kept
        self._doubt.add(effect.conversation_id for effect in applied.effects if isinstance(effect, effects.Doubtful))
        before = self._state.stale
        known = [
            effect
            for effect in applied.effects
            if isinstance(effect, effects.Replaced) and self._on_hand.is_known(effect.message)
        ]
        stale = self._stale_after(applied.effects)
        self._keep(applied, stale)
        self._state.take(applied)
        self._state.stale = {item for item in stale if item in self._state.conversations}
        self._tell(applied, before, while_away, known)

    def _stale_after(self, happened: list[effects.Effect]) -> set[str]:
        stale = set(self._state.stale)
        for effect in happened:
            match effect:
                case effects.TurnedStale(conversation_id):
                    stale.add(conversation_id)
                case effects.InLine(conversation_id):
                    stale.discard(conversation_id)
                case effects.Removed(gone=gone):
                    stale.difference_update(gone)
                case _:
                    pass
        return stale

    def _keep(self, applied: sync.Applied, stale: set[str]) -> None:
        """Write it down: rows and messages with the cursor that counts them."""
        clear: dict[str, int] = {}
        arrived: list[Message] = []
        for effect in applied.effects:
            match effect:
                case effects.Arrived(message, True) | effects.Replaced(message, True):
                    arrived.append(message)
                case effects.ClearedThrough(conversation_id, message_seq):
                    clear[conversation_id] = max(clear.get(conversation_id, 0), message_seq)
                case _:
                    pass
        try:
            self._store.save(
                upsert=[entry for entry in applied.entries.values() if entry is not None],
                remove=[conversation_id for conversation_id, entry in applied.entries.items() if entry is None],
                messages=arrived,
                cursor=applied.cursor,
                stale=stale if stale != self._state.stale else None,
                clear=clear,
            )
        except CacheError as error:
            self._disk_failed(error)
        self._wrote(bool(clear))

    def _tell(
        self, applied: sync.Applied, were_stale: set[str], while_away: bool, known: list[effects.Replaced]
    ) -> None:
        difference = self._state.refresh(applied.entries)
        back = _reappeared(applied.effects)
        updated = difference.updated + [item for item in difference.appeared if item not in back]
        in_line = (were_stale - self._state.stale) & self._state.shown.keys()
        updated.extend(item for item in sorted(in_line) if item not in updated)
        gone = {item for effect in applied.effects if isinstance(effect, effects.Removed) for item in effect.gone}
        told: list[changes.Change] = []
        if others := [item for item in updated if item not in gone]:
            told.append(changes.ConversationsUpdated(conversation_id_list=others))
        for number, effect in enumerate(applied.effects):
            if not known or effect not in known:  # an answer told of those
                told.extend(self._told(effect, while_away))
            if isinstance(effect, effects.Removed) and (
                there := [one for one in effect.gone if one in self._state.shown]
            ):
                # In the same range something brought them back: they are there at the end, and so have to be told last.
                # A restore before it does not count; one that follows tells that itself.
                restored = _reappeared(applied.effects[number + 1 :])
                if again := [item for item in there if item not in restored]:
                    told.append(changes.ConversationsUpdated(conversation_id_list=again))
        if newly_stale := sorted(self._state.stale - were_stale):
            told.append(changes.ConversationStale(conversation_id_list=newly_stale))
        self._announcer.put(*_joined(told))

    def _told(self, effect: effects.Effect, while_away: bool) -> list[changes.Change]:
        match effect:
            case effects.Arrived(message, visible):
                if message.sender == self._user_id and self._is_echo(message):
                    return [changes.MessageUpdated(conversation_id=message.conversation_id, message=message)]
                if not visible:
                    return []
                return [changes.MessagesAdded(conversation_id=message.conversation_id, messages=[message])]
            case effects.InLine():
                return []
            case effects.Replaced(message, True):
                shown = self._overlaid(message)
                return [changes.MessageUpdated(conversation_id=message.conversation_id, message=shown)]
            case effects.Removed():
                return self._removed(effect, while_away)
            case effects.Emptied(ids, batch_id, undo_seconds, device):
                self._note(batch_id, ids, True, undo_seconds, device)
                return []
            case effects.ClearedThrough(conversation_id, message_seq):
                return [changes.HistoryCleared(conversation_id=conversation_id, cleared_through=message_seq)]
            case effects.Back():
                return self._restored(effect)
            case effects.Doubtful(conversation_id):
                return [changes.HistoryRestored(conversation_id=conversation_id)]
            case effects.PeerHasRead(conversation_id, peer_read_seq):
                return [changes.PeerRead(conversation_id=conversation_id, peer_read_seq=peer_read_seq)]
            case effects.Renamed(user):
                if user.user_id == self._user_id:
                    self._nick_changed(user.nick)
                return []
            case effects.GroupTold(events.GroupChanged(group=group)):
                return [changes.GroupUpdated(group=group)]
            case effects.GroupTold(events.MemberChanged(group_id=group_id, member=member)):
                return [changes.MemberUpdated(group_id=group_id, member=member)]
            case effects.Blocked(user_id, blocked):
                return [changes.BlockChanged(user_id=user_id, blocked=blocked)]
            case effects.DeviceGone(device_id):
                if device_id == self._state.device_id:
                    self._signed_out()
                return []
            case _:
                return []

    def _removed(self, effect: effects.Removed, while_away: bool) -> list[changes.Change]:
        device = self._other(effect.device)
        until = self._note(
            effect.batch_id,
            effect.conversation_id_list,
            effect.clear_history_message,
            effect.undo_seconds,
            effect.device,
        )
        told: list[changes.Change] = []
        if effect.gone:
            told.append(
                changes.ConversationsRemoved(
                    conversation_id_list=effect.gone,
                    batch_id=effect.batch_id,
                    clear_history_message=effect.clear_history_message,
                    undo_until=until,
                    device=device,
                    while_away=while_away and device is not None,
                )
            )
        for conversation_id in effect.gone:
            text = self._store.draft(conversation_id)
            if text:
                self._undo_log.keep_draft(effect.batch_id, conversation_id, text)
                self._set_draft(conversation_id, "")
                if device is not None:
                    told.append(changes.DraftKept(conversation_id=conversation_id, text=text))
        return told

    def _restored(self, effect: effects.Back) -> list[changes.Change]:
        for conversation_id, text in self._undo_log.drafts(effect.batch_id).items():
            if not self._store.draft(conversation_id):
                self._set_draft(conversation_id, text)
        self._undo_log.forget(effect.batch_id)
        told: list[changes.Change] = []
        shown = [item for item in effect.reappeared if item in self._state.shown]
        if shown:
            told.append(
                changes.ConversationsRestored(
                    conversation_id_list=shown, batch_id=effect.batch_id, device=self._other(effect.device)
                )
            )
        told.extend(changes.HistoryRestored(conversation_id=item) for item in effect.reopened)
        return told

    def _note(self, batch_id: str, ids: list[str], clear: bool, undo_seconds: int, device: events.EventDevice) -> int:
        if undo_seconds <= 0:
            return 0
        until = self._clock() + undo_seconds * 1000
        self._undo_log.note(batch_id, ids, clear_history_message=clear, undo_until=until, device=self._other(device))
        return until

    def _other(self, device: events.EventDevice) -> str | None:
        return None if device.device_id == self._state.device_id else device.name

    def _set_draft(self, conversation_id: str, text: str) -> None:
        try:
            self._store.set_draft(conversation_id, text)
        except CacheError as error:
            self._disk_failed(error)


def _reappeared(happened: Iterable[effects.Effect]) -> set[str]:
    """Rows that an undo brought back."""
    return {item for effect in happened if isinstance(effect, effects.Back) for item in effect.reappeared}


def _joined(told: list[changes.Change]) -> list[changes.Change]:
    """Neighbouring additions to one conversation as one change; pages are to be loaded anew once."""
    joined: list[changes.Change] = []
    reopened: set[str] = set()
    for change in told:
        if isinstance(change, changes.HistoryRestored):
            if change.conversation_id in reopened:
                continue
            reopened.add(change.conversation_id)
        last = joined[-1] if joined else None
        if (
            isinstance(change, changes.MessagesAdded)
            and isinstance(last, changes.MessagesAdded)
            and last.conversation_id == change.conversation_id
        ):
            both = last.messages + change.messages
            joined[-1] = changes.MessagesAdded(conversation_id=change.conversation_id, messages=both)
        else:
            joined.append(change)
    return joined
