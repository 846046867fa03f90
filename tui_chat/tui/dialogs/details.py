"""All there is to know of one message: when, whether edited, who reacted, who has read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui_chat.locale import _, ngettext
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, Message, Reaction, User
from tui_chat.protocol.requests import MessageReaders
from tui_chat.tui import safe
from tui_chat.tui.refusals import refusal

from .dialog import Dialog, Frame

if TYPE_CHECKING:
    from tui_chat.client.interface import Session

TEXT_LINES: Final = 8
"""Of the message's own text; it stands in full in the conversation."""
NAMES_MOST: Final = 200


class MessageDetails(Dialog[None]):
    """Esc closes it; the arrows scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,v,q,enter", "close")]

    def __init__(self, session: Session, row: Conversation, message: Message) -> None:
        super().__init__()
        self._session = session
        self._row = row
        self._message = message
        self._readers: MessageReaders | None = None
        self._refusal: str | None = None

    def compose(self) -> ComposeResult:
        with Frame():
            yield Static(Content(_("This message")).stylize("bold"), markup=False)
            with VerticalScroll(id="body"):
                yield Static(self._text(), id="text", markup=False)
            yield Static(Content(_("Esc close")).stylize("$text-muted"), markup=False)

    def on_mount(self) -> None:
        body = self.query_one("#body")
        body.styles.max_height = "1fr"
        body.focus()
        if self._asks:
            self.run_worker(self._ask(), group="readers")

    @property
    def _mine(self) -> bool:
        message = self._message
        return message.sender == self._session.user_id and message.message_seq > 0 and not message.recalled

    @property
    def _asks(self) -> bool:
        """Whether the server can say who of a group has read it."""
        return (
            self._mine
            and self._session.capabilities.read_receipts
            and self._row.type is ConversationType.GROUP
            and (self._row.member_count or 0) <= self._session.server.limits.readers_members
        )

    async def _ask(self) -> None:
        try:
            self._readers = await self._session.readers(self._row.conversation_id, self._message.message_seq)
        except ChatError as error:
            self._refusal = refusal(error)
        if not self.was_closed:
            self.query_one("#text", Static).update(self._text())

    def _text(self) -> Content:
        return Content("\n").join([*self._facts(), *self._reactions(), *self._reading()])

    def _facts(self) -> Iterator[Content]:
        message = self._message
        body = safe.lines(message.text)
        if message.text:
            more = ["…"] if len(body) > TEXT_LINES else []
            yield safe.content("\n".join([*body[:TEXT_LINES], *more]), "$text-muted")
        who = message.sender if message.nick is None else f"{message.nick} ({message.sender})"
        yield safe.template(_("From {name}"), name=_("you") if message.sender == self._session.user_id else who)
        if message.message_seq:
            yield safe.template(_("Sent {time}"), time=_moment(message.time))
        else:
            yield Content(_("Not sent yet: it waits for the server"))
        if message.edited_at is not None:
            yield safe.template(_("Edited {time}"), time=_moment(message.edited_at))
        if message.recalled:
            by = message.recalled_by
            yield Content(_("Taken back")) if by is None else safe.template(_("taken back by {name}"), name=by)

    def _reactions(self) -> Iterator[Content]:
        for emoji, one in self._message.reactions.items():
            yield safe.template("{emoji}  {names}", emoji=emoji, names=_reacted(one, self._session.user_id))

    def _reading(self) -> Iterator[Content]:
        """Who has read it: of one person by the mark that is here, of a group as the server says."""
        if not self._mine or not self._session.capabilities.read_receipts:
            return
        if self._row.type is ConversationType.C2C:
            read = self._message.message_seq <= self._row.peer_read_seq
            yield Content(_("Read") if read else _("Not read yet"))
        elif not self._asks:
            most = self._session.server.limits.readers_members
            yield safe.template(_("Who has read it is told in groups of up to {count}"), count=most)
        elif self._refusal is not None:
            yield safe.template(_("Who has read it: {reason}"), reason=self._refusal).stylize("$text-error")
        elif self._readers is None:
            yield Content(_("Loading…")).stylize("$text-muted")
        else:
            yield from _listed(_read, self._readers.read, self._readers.read_count)
            yield from _listed(_unread, self._readers.unread, self._readers.unread_count)


def _read(count: int) -> str:
    return ngettext("Read by {count}:", "Read by {count}:", count)


def _unread(count: int) -> str:
    return ngettext("Not read yet by {count}:", "Not read yet by {count}:", count)


def _listed(said: Callable[[int], str], users: Sequence[User], count: int) -> Iterator[Content]:
    if not count:
        return
    yield safe.template(said(count), count=f"{count:,}").stylize("bold")
    for user in users[:NAMES_MOST]:
        name = user.user_id if user.nick is None else f"{user.nick} ({user.user_id})"
        yield safe.template("  {name}", name=name)
    if (more := count - min(len(users), NAMES_MOST)) > 0:
        yield safe.template(ngettext("  and {count} more", "  and {count} more", more), count=f"{more:,}")


def _reacted(reaction: Reaction, own_id: str) -> str:
    """alice, bob and 3 more"""
    names = [_("you") if one == own_id else one for one in reaction.user_id_list]
    if reaction.mine and own_id not in reaction.user_id_list:
        names.append(_("you"))
    said = ", ".join(names)
    more = reaction.count - len(names)
    if more <= 0:
        return said
    return ngettext("{names} and {count} more", "{names} and {count} more", more).format(names=said, count=more)


def _moment(time: int) -> str:
    return datetime.fromtimestamp(time / 1000).strftime("%Y-%m-%d %H:%M:%S")
