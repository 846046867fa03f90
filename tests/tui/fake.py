"""A session without a network for tests of the screen: keeps rows, does as it is told, remembers the calls."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from tests.tui.changing import Changing
from tests.tui.grouping import Grouping
from tests.tui.unasked import Unasked
from tui_chat.client.capabilities import Capabilities
from tui_chat.client.changes import (
    Change,
    Connection,
    ConnectionChanged,
    ConversationsHidden,
    ConversationsRemoved,
    ConversationsRestored,
    ConversationsUpdated,
    HistoryCleared,
    MessagesAdded,
    ServerChanged,
)
from tui_chat.client.interface import Session
from tui_chat.client.results import DeletedConversations, QueuedCommand, RestoredConversations, UndoableBatch
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.ids import ConversationType, parse_conversation_id
from tui_chat.protocol.models import (
    Application,
    Conversation,
    Deletion,
    Device,
    Group,
    LastMessage,
    Member,
    Membership,
    Message,
    ServerFacts,
    Settings,
    User,
)
from tui_chat.protocol.requests import GroupAnswer, ItemFailure, MessagePage, MessageReaders

NOW = 1_763_469_660_000
"""A Tuesday in November 2025, 12:41 UTC."""


def row(conversation_id: str, *, name: str | None = None, age: int = 0, **more: Any) -> Conversation:
    """A conversation whose newest message is `age` minutes old."""
    kind = parse_conversation_id(conversation_id)
    count = more.pop("message_count", 4)
    time = NOW - age * 60_000
    text = more.pop("text", "hello there")
    last = LastMessage(message_seq=count, sender="bob", time=time, text=text) if count else None
    group = kind.type is ConversationType.GROUP
    return Conversation(
        **{
            "conversation_id": conversation_id,
            "type": kind.type,
            "name": name if name is not None else kind.target,
            "last_message": last,
            "message_count": count,
            "newest_seq": count,
            "first_seq": 1 if count else 0,
            "read_seq": count,
            "time": time,
            "membership": Membership.JOINED if group else None,
            "member_count": 214 if group else None,
            **more,
        }
    )


def some_rows() -> dict[str, Conversation]:
    """The rows of the design's picture."""
    rows = [
        row(
            "GROUPplanning", name="#planning", age=1500, pinned=True, unread_count=120, message_count=400, read_seq=280
        ),
        row("C2Cbob", age=0, unread_count=2, read_seq=2),
        row("GROUPubuntu", name="#ubuntu", age=1, unread_count=14, mention_count=2, message_count=1200, read_seq=1186),
        row("C2Cxiaolin", name="小林", age=39),
        row("C2Ccarol", age=3000),
        row("GROUPold", name="#old", age=4000, membership=Membership.LEFT),
        row("@TIM#SYSTEM", age=5000, unread_count=1, read_seq=3, name=""),
    ]
    return {one.conversation_id: one for one in rows}


def texts(conversation_id: str, count: int, *, start: int = 1) -> list[Message]:
    """Messages of a conversation, one a minute, the newest now."""
    return [
        Message(
            conversation_id=conversation_id,
            message_seq=seq,
            client_id=f"{conversation_id}-{seq}",
            sender=("bob", "alice")[seq % 2],
            time=NOW - (start + count - 1 - seq) * 60_000,
            text=f"message {seq}",
        )
        for seq in range(start, start + count)
    ]


class FakeSession(Changing, Grouping, Unasked):
    """A `client.interface.Session`."""

    def __init__(
        self,
        rows: Mapping[str, Conversation] | None = None,
        *,
        device_name: str = "laptop",
        clock: Callable[[], int] = lambda: NOW,
        synced: bool = True,
        undo_seconds: int = 600,
    ) -> None:
        self.conversations: dict[str, Conversation] = dict(some_rows() if rows is None else rows)
        self.user_id = "alice"
        self.device_id = device_name
        self.device_name = device_name
        self.nick: str | None = None
        self.administrator = True
        self.numbering = 0
        self.stale: frozenset[str] = frozenset()
        self.online: frozenset[str] = frozenset()
        self.connection = Connection.CONNECTED
        self.queued = 0
        self.server = ServerFacts(version="1", sync_conversation_deletion=synced, undo_seconds=undo_seconds)
        self.capabilities = Capabilities(syncs_deletions=synced, administration=True)
        self.calls: list[tuple[str, Any]] = []
        self.messages: dict[str, list[Message]] = {
            one.conversation_id: texts(one.conversation_id, one.message_count) for one in self.conversations.values()
        }
        self.drafts: dict[str, str] = {}
        self.refuse: dict[str, str] = {}
        """conversationID -> why deleting it fails."""
        self.gate: Any = None
        """Called before each part of a deletion."""
        self.error: ChatError | None = None
        """Raised by the next call that takes a server."""
        self.queue: list[QueuedCommand] = []
        self.people: dict[str, list[Member]] = {
            "ubuntu": [
                Member(user_id="alice", role="owner"),
                Member(user_id="bob", nick="Bob Smith"),
                Member(user_id="bobby"),
                Member(user_id="xiaolin", nick="小林"),
            ]
        }
        self.groups: dict[str, Group] = {}
        self.waiting: dict[str, list[Application]] = {}
        self.read_by = MessageReaders(read=[User(user_id="bob")], unread=[], read_count=1, unread_count=0)
        self.page = 50
        self.closed = False
        self._clock = clock
        self._listeners: list[Callable[[list[Change]], None]] = []
        self._batches: list[tuple[UndoableBatch, dict[str, Conversation]]] = []

    def as_session(self) -> Session:
        """What the app takes."""
        return self

    @property
    def conversation_count(self) -> int:
        """All are known."""
        return len(self.conversations)

    async def start(self) -> None:
        """Nothing to connect to."""

    # Changes

    def subscribe(self, listener: Callable[[list[Change]], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, *changes: Change) -> None:
        for listener in list(self._listeners):
            listener(list(changes))

    def connect(self, connection: Connection, queued: int = 0) -> None:
        self.connection, self.queued = connection, queued
        if len(self.queue) != queued:
            self.queue = [
                QueuedCommand(number=number, what="send", conversation_id_list=["C2Cbob"], attempted=False)
                for number in range(queued)
            ]
        self.tell(ConnectionChanged(connection=connection, queued=queued))

    def arrive(self, message: Message, **row_changes: Any) -> None:
        """Somebody wrote."""
        one = message.conversation_id
        before = self.conversations.get(one) or row(one, message_count=message.message_seq - 1)
        self.conversations[one] = msgspec.structs.replace(
            before,
            last_message=LastMessage(
                message_seq=message.message_seq, sender=message.sender, time=message.time, text=message.text
            ),
            newest_seq=message.message_seq,
            message_count=before.message_count + 1,
            unread_count=before.unread_count + 1,
            time=message.time,
            **row_changes,
        )
        self.messages.setdefault(one, []).append(message)
        self.tell(
            ConversationsUpdated(conversation_id_list=[one]), MessagesAdded(conversation_id=one, messages=[message])
        )

    def deleted_elsewhere(
        self, ids: Sequence[str], *, device: str = "phone", batch_id: str = "there", while_away: bool = False
    ) -> None:
        """Another device of the account deleted these."""
        gone = {one: self.conversations.pop(one) for one in ids if one in self.conversations}
        until = self._clock() + self.server.undo_seconds * 1000
        batch = UndoableBatch(
            batch_id=batch_id, count=len(gone), clear_history_message=True, undo_until=until, device=device
        )
        self._batches.insert(0, (batch, gone))
        self.tell(
            ConversationsRemoved(
                conversation_id_list=list(ids),
                batch_id=batch_id,
                clear_history_message=True,
                undo_until=until,
                device=device,
                while_away=while_away,
            )
        )

    def change_server(self, **changes: Any) -> None:
        self.server = msgspec.structs.replace(self.server, **changes)
        synced = self.server.sync_conversation_deletion
        self.capabilities = msgspec.structs.replace(self.capabilities, syncs_deletions=synced)
        self.tell(ServerChanged(server=self.server))

    # Deleting

    async def delete_conversation(
        self,
        *,
        conversation_id_list: Sequence[str],
        clear_history_message: bool = True,
        up_to: Mapping[str, int] | None = None,
        batch_id: str | None = None,
        progress: Callable[[int, int], None] | None = None,
        stop: asyncio.Event | None = None,
    ) -> DeletedConversations:
        assert up_to is not None, "a screen says what was on it"
        assert batch_id is not None
        assert progress is not None
        assert stop is not None
        self.calls.append(("delete", (list(conversation_id_list), clear_history_message, dict(up_to))))
        if self.error is not None:
            raise self.error
        online = self.connection is Connection.CONNECTED
        ids = [one for one in conversation_id_list if one not in self.refuse]
        until = self._clock() + self.server.undo_seconds * 1000
        gone: dict[str, Conversation] = {}
        stopped: list[str] = []
        for start in range(0, len(ids), 100):
            part = ids[start : start + 100]
            if self.gate is not None:
                await self.gate(start)
            if stop.is_set():
                stopped.extend(part)
                continue
            newer = [one for one in part if self.conversations[one].newest_seq > up_to[one]]
            leave = [one for one in part if one not in newer]
            gone.update({one: self.conversations.pop(one) for one in leave})
            self.tell(ConversationsHidden(conversation_id_list=leave, batch_id=batch_id))
            if online:
                self.tell(
                    ConversationsRemoved(
                        conversation_id_list=leave,
                        batch_id=batch_id,
                        clear_history_message=clear_history_message,
                        undo_until=until,
                    ),
                    *(
                        HistoryCleared(conversation_id=one, cleared_through=up_to[one])
                        for one in part
                        if clear_history_message
                    ),
                )
            progress(start + len(part), len(conversation_id_list))
        batch = UndoableBatch(
            batch_id=batch_id,
            count=len(gone),
            clear_history_message=clear_history_message,
            undo_until=until,
            queued=not online,
        )
        self._batches.insert(0, (batch, gone))
        done = [one for one in ids if one not in stopped]
        return DeletedConversations(
            conversation_id_list=done if online else [],
            failures=[
                ItemFailure(conversation_id=one, code="unavailable", message=why)
                for one, why in self.refuse.items()
                if one in conversation_id_list
            ],
            batch_id=batch_id,
            undo_seconds=self.server.undo_seconds,
            synced=True,
            kept=[one for one in done if one in self.conversations],
            queued=[] if online else done,
            stopped=stopped,
        )

    @property
    def undoable(self) -> list[UndoableBatch]:
        return [batch for batch, _ in self._batches if batch.queued or batch.undo_until > self._clock()]

    async def undo(self, batch_id: str | None = None) -> RestoredConversations:
        self.calls.append(("undo", batch_id))
        if self.error is not None:
            raise self.error
        index = next(n for n, (batch, _) in enumerate(self._batches) if batch_id in (None, batch.batch_id))
        batch, gone = self._batches.pop(index)
        self.conversations.update(gone)
        self.tell(ConversationsRestored(conversation_id_list=list(gone), batch_id=batch.batch_id))
        return RestoredConversations(conversation_id_list=list(gone), batch_id=batch.batch_id)

    async def deletions(self) -> list[Deletion]:
        if self.error is not None:
            raise self.error
        return [
            Deletion(
                batch_id=batch.batch_id,
                device=Device(device_id="d", name=batch.device or self.device_name),
                time=NOW - 60_000,
                count=batch.count,
                clear_history_message=batch.clear_history_message,
                conversation_id_list=list(gone),
                undo_seconds=(batch.undo_until - self._clock()) // 1000,
            )
            for batch, gone in self._batches
        ]

    async def erase_deletion(self, batch_id: str) -> None:
        self.calls.append(("erase", batch_id))
        self._batches = [one for one in self._batches if one[0].batch_id != batch_id]

    # Reading and writing

    async def mark_read(self, conversation_id: str, message_seq: int | None = None) -> None:
        self.calls.append(("read", (conversation_id, message_seq)))
        before = self.conversations[conversation_id]
        self.conversations[conversation_id] = msgspec.structs.replace(
            before, unread_count=0, mention_count=0, marked_unread=False
        )
        self.tell(ConversationsUpdated(conversation_id_list=[conversation_id]))

    async def set_flags(
        self,
        conversation_id_list: Sequence[str],
        *,
        pinned: bool | None = None,
        muted: bool | None = None,
        marked_unread: bool | None = None,
    ) -> list[ItemFailure]:
        given = {"pinned": pinned, "muted": muted, "marked_unread": marked_unread}
        flags = {name: value for name, value in given.items() if value is not None}
        ids = list(conversation_id_list)
        self.calls.append(("flags", (ids, flags)))
        for one in ids:
            self.conversations[one] = msgspec.structs.replace(self.conversations[one], **flags)
        self.tell(ConversationsUpdated(conversation_id_list=ids))
        return []

    async def history(
        self, conversation_id: str, *, before: int | None = None, after: int | None = None, limit: int = 50
    ) -> MessagePage:
        self.calls.append(("history", (conversation_id, before, after)))
        if self.error is not None:
            raise self.error
        held = self.messages.get(conversation_id, [])
        if after is not None:
            newer = [one for one in held if one.message_seq > after]
            return MessagePage(messages=newer[:limit], more=len(newer) > limit)
        older = [one for one in held if before is None or one.message_seq < before]
        return MessagePage(messages=older[-limit:], more=len(older) > limit)

    def cached_tail(self, conversation_id: str, count: int = 50) -> list[Message]:
        return []

    def pending_messages(self, conversation_id: str) -> list[Message]:
        return []

    def draft(self, conversation_id: str) -> str:
        return self.drafts.get(conversation_id, "")

    def set_draft(self, conversation_id: str, text: str) -> None:
        self.drafts[conversation_id] = text
        if not text:
            del self.drafts[conversation_id]

    async def typing(self, conversation_id: str) -> None:
        self.calls.append(("typing", conversation_id))

    # The rest

    async def create_group(
        self,
        name: str,
        *,
        group_id: str | None = None,
        join: Literal["free", "approval", "closed"] = "closed",
        members: Sequence[str] = (),
    ) -> GroupAnswer:
        self.calls.append(("group", (name, list(members))))
        one = f"GROUP{name.strip('#')}"
        self.conversations[one] = row(one, name=name)
        self.tell(ConversationsUpdated(conversation_id_list=[one]))
        return GroupAnswer(group=Group(group_id=name.strip("#"), name=name, owner=self.user_id), conversation_id=one)

    async def user(self, user_id: str) -> User:
        if self.error is not None:
            raise self.error
        return User(user_id=user_id)

    async def change_settings(
        self, *, sync_conversation_deletion: bool | None = None, undo_seconds: int | None = None
    ) -> Settings:
        assert sync_conversation_deletion is not None
        self.calls.append(("settings", sync_conversation_deletion))
        self.change_server(sync_conversation_deletion=sync_conversation_deletion)
        return Settings(sync_conversation_deletion=sync_conversation_deletion)

    async def reload(self) -> None:
        self.calls.append(("reload", None))

    def reconnect_now(self) -> None:
        pass

    async def close(self) -> None:
        self.closed = True
