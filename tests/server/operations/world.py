"""A database with people in it, on which operations are tried one after the other, without threads or sockets."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from tui_chat.protocol import events
from tui_chat.protocol.models import Conversation, Deletion, Group, Message
from tui_chat.protocol.requests import (
    AddMembers,
    ChangeGroup,
    ChangeMember,
    ChangeSettings,
    ClearConversations,
    ConversationsChanged,
    ConversationsDeleted,
    ConversationsRestored,
    CreateGroup,
    Credentials,
    DecideApplication,
    DeleteConversations,
    EditMessage,
    GroupCommand,
    JoinGroup,
    MessagePage,
    MessageSent,
    MuteGroup,
    ReadConversations,
    ReadMark,
    RestoreConversations,
    SearchAnswer,
    SendMessage,
    Session,
    SetFlags,
    SyncAnswer,
    TransferGroup,
)
from tui_chat.server.engines import Emitted, Transaction
from tui_chat.server.operations import (
    accounts,
    applications,
    conversations,
    deletion,
    deletionlog,
    editing,
    expiry,
    groups,
    members,
    messages,
    reactions,
    readers,
    search,
    settings,
    undo,
)
from tui_chat.server.operations import (
    events as log,
)
from tui_chat.server.operations.caller import Caller

from .stores import SqliteStore, Store

P = ParamSpec("P")
T = TypeVar("T")

START = 1_700_000_000_000


class World:
    """A server's data in a real database, of SQLite where nothing else is given, and its clock."""

    def __init__(self, data: Path | Store) -> None:
        self.store = SqliteStore(data, START) if isinstance(data, Path) else data
        self.now = START
        self.emitted: list[Emitted] = []
        self._sent = 0

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection to the file, where it is one."""
        assert isinstance(self.store, SqliteStore)
        return self.store.connection

    def do(self, operation: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an operation in a transaction of its own, as an engine does."""
        tx = self.store.begin(self.now)
        try:
            result = operation(tx, *args, **kwargs)
        except BaseException:
            self.store.rollback()
            raise
        self.store.commit()
        self.emitted += tx.emitted
        return result

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * 1000)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        return self.store.rows(sql, *values)

    def change(self, sql: str, *values: Any) -> None:
        """Change the database behind the operations' backs."""
        self.store.change(sql, *values)

    def join(self, name: str, device: str = "laptop") -> "Device":
        """Register somebody."""
        asked = Credentials(user_id=name, password="correct horse", device_name=device)
        return self.device(self.do(accounts.register, asked, "hash", open_registration=True))

    def device(self, session: Session) -> "Device":
        return Device(self, self.do(accounts.authenticate, session.access_token), session)

    def next_client_id(self) -> str:
        self._sent += 1
        return f"c{self._sent}"

    def set(self, **changes: Any) -> None:
        """Change settings, as the first account, which is the administrator."""
        row = self.rows("SELECT id, user_id FROM account WHERE administrator = 1")[0]
        administrator = Caller(user=row[0], user_id=row[1], device=0, device_id="", device_name="", administrator=True)
        self.do(settings.change, administrator, ChangeSettings(**changes))

    def tidy(self) -> None:
        """Everything that is due."""
        while sum(map(self.do, expiry.PIECES)):
            pass

    def close(self) -> None:
        self.store.close()


class Device:
    """One log-in of somebody, and what it asks for."""

    def __init__(self, world: World, caller: Caller, session: Session) -> None:
        self.world = world
        self.caller = caller
        self.session = session
        self.id = caller.user_id
        self.mark = len(world.emitted)

    def another(self, name: str = "phone") -> "Device":
        """The same user on another device."""
        asked = Credentials(user_id=self.id, password="correct horse", device_name=name)
        return self.world.device(self.world.do(accounts.login, asked))

    def send(self, to: str, text: str = "hello", **more: Any) -> Message:
        return self.sent(to, text, **more).message

    def sent(self, to: str, text: str = "hello", *, client_id: str | None = None, **more: Any) -> MessageSent:
        request = SendMessage(client_id=client_id or self.world.next_client_id(), text=text, **more)
        return self.world.do(messages.send, self.caller, to, request)

    def delete(self, *ids: str, clear: bool = True, **more: Any) -> ConversationsDeleted:
        request = DeleteConversations(conversation_id_list=list(ids), clear_history_message=clear, **more)
        return self.world.do(deletion.delete, self.caller, deletion.in_order(self.caller, request))

    def clear(self, *ids: str, **more: Any) -> ConversationsDeleted:
        request = ClearConversations(conversation_id_list=list(ids), **more)
        return self.world.do(deletion.clear, self.caller, deletion.in_order(self.caller, request))

    def undo(self, batch_id: str) -> ConversationsRestored:
        return self.world.do(undo.restore, self.caller, RestoreConversations(batch_id=batch_id))

    def undo_operation(self, operation_id: str) -> ConversationsRestored:
        return self.world.do(undo.restore, self.caller, RestoreConversations(operation_id=operation_id))

    def erase_now(self, batch_id: str) -> None:
        self.world.do(deletion.erase_now, self.caller, batch_id)

    def deletions(self) -> list[Deletion]:
        return self.world.do(deletionlog.log, self.caller).deletions

    def read(self, conversation_id: str, message_seq: int | None = None, **more: Any) -> ConversationsChanged:
        seq = self.get(conversation_id).newest_seq if message_seq is None else message_seq
        request = ReadConversations(items=[ReadMark(conversation_id=conversation_id, message_seq=seq)], **more)
        return self.world.do(conversations.read, self.caller, request)

    def flags(self, *ids: str, **flags: Any) -> ConversationsChanged:
        return self.world.do(conversations.flags, self.caller, SetFlags(conversation_id_list=list(ids), **flags))

    def get(self, conversation_id: str) -> Conversation:
        return self.world.do(conversations.get, self.caller, conversation_id)

    def listed(self) -> dict[str, Conversation]:
        """The whole list, page by page, without the system's conversation."""
        found: dict[str, Conversation] = {}
        cursor: str | None = None
        while True:
            page = self.world.do(conversations.page, self.caller, cursor=cursor, limit=7)
            found |= {one.conversation_id: one for one in page.conversations}
            cursor = page.next
            if cursor is None:
                return found

    def edit(self, conversation_id: str, seq: int, text: str, **more: Any) -> MessageSent:
        return self.world.do(editing.edit, self.caller, conversation_id, seq, EditMessage(text=text, **more))

    def recall(self, conversation_id: str, seq: int, operation_id: str | None = None) -> MessageSent:
        return self.world.do(editing.recall, self.caller, conversation_id, seq, operation_id)

    def react(self, conversation_id: str, seq: int, emoji: str) -> MessageSent:
        return self.world.do(reactions.react, self.caller, conversation_id, seq, emoji)

    def take_back(self, conversation_id: str, seq: int, emoji: str) -> MessageSent:
        return self.world.do(reactions.take_back, self.caller, conversation_id, seq, emoji)

    def readers(self, conversation_id: str, seq: int) -> tuple[list[str], list[str]]:
        """Who has read a message, and who has not."""
        found = self.world.do(readers.readers, self.caller, conversation_id, seq)
        assert (found.read_count, found.unread_count) == (len(found.read), len(found.unread))
        return [one.user_id for one in found.read], [one.user_id for one in found.unread]

    def search(self, q: str, **more: Any) -> SearchAnswer:
        return self.world.do(search.search, self.caller, q, **more)

    def found(self, q: str, **more: Any) -> list[str]:
        """The texts that are found, the newest first, over as many answers as it takes."""
        texts: list[str] = []
        answer = self.search(q, **more)
        while True:
            texts += [one.text for one in answer.messages]
            if answer.next is None:
                return texts
            answer = self.search(q, **more, cursor=answer.next)

    def message(self, conversation_id: str, seq: int) -> Message:
        """One message of history, as this user sees it."""
        [found] = self.page(conversation_id, after=seq - 1, limit=1).messages
        assert found.message_seq == seq
        return found

    def page(self, conversation_id: str, **bounds: Any) -> MessagePage:
        return self.world.do(messages.page, self.caller, conversation_id, **bounds)

    def history(self, conversation_id: str) -> list[str]:
        """The texts that can be seen, tips without their names."""
        found = self.page(conversation_id, limit=100).messages
        return [f"<{one.tip.what}>" if one.tip is not None else one.text for one in found]

    def told(self) -> list[events.Event]:
        """What this device was told since it was asked last."""
        news = self.world.emitted[self.mark :]
        self.mark = len(self.world.emitted)
        return [
            one.event
            for one in news
            if one.user == self.caller.user and one.only_device in (None, self.caller.device_id)
        ]

    def cursor(self) -> str:
        """Where the user's log stands now."""
        return self.world.do(lambda tx: log.cursor_at(log.epoch(tx), log.position(tx, self.caller.user)))

    def sync(self, cursor: str | None, limit: int = 100) -> SyncAnswer:
        return self.world.do(log.sync, self.caller, cursor, limit)

    def replayed(self, cursor: str) -> list[events.AnyEvent]:
        """What this device missed since `cursor`."""
        found: list[events.AnyEvent] = []
        while True:
            answer = self.sync(cursor)
            found += [events.decode_event(raw) for raw in answer.events]
            cursor = answer.cursor
            if not answer.more:
                return found

    def create(self, group_id: str, *members: str, join: Any = "free", name: str | None = None) -> Group:
        request = CreateGroup(group_id=group_id, name=name or group_id, members=list(members), join=join)
        return self.world.do(groups.create, self.caller, request).group

    def invite(self, group_id: str, *users: str) -> None:
        self.world.do(members.invite, self.caller, group_id, AddMembers(members=list(users)))

    def join_group(self, group_id: str, text: str | None = None) -> str:
        """Join or apply; what came of it."""
        return self.world.do(members.join, self.caller, group_id, JoinGroup(text=text)).status

    def decide(self, group_id: str, user_id: str, *, accept: bool) -> None:
        self.world.do(applications.decide, self.caller, group_id, user_id, DecideApplication(accept=accept))

    def waiting(self, group_id: str) -> list[tuple[str, str]]:
        """Who waits to be let in, and what they wrote."""
        found = self.world.do(applications.page, self.caller, group_id).applications
        return [(one.user_id, one.text) for one in found]

    def change_group(self, group_id: str, **changes: Any) -> Group:
        return self.world.do(groups.change, self.caller, group_id, ChangeGroup(**changes)).group

    def transfer(self, group_id: str, user_id: str) -> Group:
        return self.world.do(groups.transfer, self.caller, group_id, TransferGroup(user_id=user_id)).group

    def mute_all(self, group_id: str, muted: bool = True) -> Group:
        return self.world.do(groups.set_muted, self.caller, group_id, MuteGroup(muted=muted)).group

    def set_role(self, group_id: str, user_id: str, role: Any) -> None:
        self.world.do(members.set_role, self.caller, group_id, user_id, ChangeMember(role=role))

    def members(self, group_id: str) -> dict[str, str]:
        """Role by userID."""
        found = self.world.do(members.page, self.caller, group_id, limit=100).members
        return {one.user_id: one.role for one in found}

    def quit(self, group_id: str) -> None:
        self.world.do(members.quit_group, self.caller, group_id, GroupCommand())

    def kick(self, group_id: str, user_id: str) -> None:
        self.world.do(members.kick, self.caller, group_id, user_id)

    def dismiss(self, group_id: str) -> None:
        self.world.do(groups.dismiss, self.caller, group_id)
