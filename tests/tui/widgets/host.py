"""A small app around the widgets, and conversations and messages to show in them."""

from collections.abc import Iterable
from datetime import UTC

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message as Event
from textual.widget import Widget

from tui_chat.protocol.ids import SYSTEM, ConversationType
from tui_chat.protocol.models import Conversation, LastMessage, Membership, Message, MessageType, Tip
from tui_chat.tui.themes import UNICODE, Symbols
from tui_chat.tui.widgets.composer import Composer
from tui_chat.tui.widgets.conversation_list import ConversationList
from tui_chat.tui.widgets.message_pane import MessagePane
from tui_chat.tui.widgets.status_bar import StatusBar

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
NOW = 1_763_469_660_000
"""Tuesday 18 November 2025, 12:41 UTC."""


def clock() -> int:
    """A clock that stands still."""
    return NOW


def conversation(
    name: str,
    *,
    ago: int = 0,
    text: str = "see you there",
    pinned: bool = False,
    muted: bool = False,
    unread: int = 0,
    mentions: int = 0,
    membership: Membership | None = None,
    messages: int = 20,
) -> Conversation:
    """A conversation: a group where the name starts with #, the system's for "System", else one-to-one."""
    if name == "System":
        kind, conversation_id = ConversationType.SYSTEM, SYSTEM
    elif name.startswith("#"):
        kind, conversation_id = ConversationType.GROUP, f"GROUP{name[1:]}"
    else:
        kind, conversation_id = ConversationType.C2C, f"C2C{name}"
    time = NOW - ago
    return Conversation(
        conversation_id=conversation_id,
        type=kind,
        name="" if name == "System" else name,
        last_message=LastMessage(message_seq=messages, sender="bob", time=time, text=text),
        message_count=messages,
        unread_count=unread,
        mention_count=mentions,
        read_seq=messages - unread,
        pinned=pinned,
        muted=muted,
        membership=membership,
        newest_seq=messages,
        time=time,
        first_seq=1,
    )


def by_id(conversations: Iterable[Conversation]) -> dict[str, Conversation]:
    """The mapping that a session has."""
    return {conversation.conversation_id: conversation for conversation in conversations}


def sample() -> list[Conversation]:
    """What experience.md's picture shows, and a few odd ones."""
    return [
        conversation("bob", unread=2),
        conversation("#ubuntu", ago=MINUTE, unread=14, mentions=1),
        conversation("小林", ago=39 * MINUTE, text="明天见，别忘了带上那本书。"),
        conversation("#planning", ago=DAY, unread=120, pinned=True),
        conversation("carol", ago=2 * DAY, membership=Membership.LEFT),
        conversation("System", ago=3 * DAY, unread=1),
        conversation("#ubuntu-release-party-planning-committee", ago=9 * DAY, muted=True, unread=7),
        conversation("dave 🎉", ago=400 * DAY),
    ]


def many(count: int) -> list[Conversation]:
    """So many one-to-one conversations, a minute apart, newest first."""
    return [conversation(f"user{number:05}", ago=number * MINUTE, unread=number % 3) for number in range(count)]


def message(
    seq: int,
    text: str,
    sender: str = "bob",
    *,
    ago: int | None = None,
    client_id: str | None = None,
    type: MessageType = MessageType.TEXT,  # noqa: A002
    tip: Tip | None = None,
    version: int = 1,
    reply_to: int | None = None,
    mentions: list[str] | None = None,
) -> Message:
    """A message; a minute lies between one and the next."""
    return Message(
        conversation_id="C2Cbob",
        message_seq=seq,
        client_id=client_id or f"client{seq}",
        version=version,
        sender=sender,
        time=NOW - (ago if ago is not None else (1_000 - seq) * MINUTE),
        type=type,
        text=text,
        tip=tip,
        reply_to=reply_to,
        mentions=mentions or [],
    )


def lines_of(widget: Widget) -> list[str]:
    """What the widget shows, line by line, without its border."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.content_size.height)]


def screen_lines(app: App[None]) -> list[str]:
    """The whole screen as it is seen, with borders and scroll bars over the rest."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


class Host(App[None]):
    """The four widgets as the main screen has them."""

    CSS = """
    #right { width: 1fr; }
    ConversationList { width: 38; }
    Screen.-narrow #right { display: none; }
    Screen.-narrow ConversationList { width: 1fr; }
    """

    def __init__(self, *, symbols: Symbols = UNICODE, flash_seconds: float = 0.0) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.list = ConversationList(
            clock=clock, own_id="alice", symbols=symbols, zone=UTC, flash_seconds=flash_seconds
        )
        self.pane = MessagePane(clock=clock, own_id="alice", symbols=symbols, zone=UTC)
        self.composer = Composer(symbols=symbols)
        self.bar = StatusBar(symbols=symbols)

    def compose(self) -> ComposeResult:
        """List left, messages right."""
        with Horizontal():
            yield self.list
            with Vertical(id="right"):
                yield self.pane
                yield self.composer.completion
                yield self.composer
        yield self.bar

    def on_mount(self) -> None:
        """Focus starts in the list."""
        self.list.focus()

    def of(self, kind: type[Event]) -> list[Event]:
        """The messages of that kind that came so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def hook(self, event: Event) -> None:
        """For run_test(message_hook=…)."""
        if not any(event is seen for seen in self.events[-50:]):  # It is called for each widget on the way up.
            self.events.append(event)
