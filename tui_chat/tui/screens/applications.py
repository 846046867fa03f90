"""What became of each application that a notice tells of: of a decided one it says what, and by whom.

The others who could have decided are told by a notice; whoever decided is not, nor is anybody told where an applicant
came in otherwise. So of what no notice tells the group is asked once, each time the notices are opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_chat.locale import _
from tui_chat.protocol.errors import ChatError, Forbidden, GroupNotFound, NotAMember
from tui_chat.protocol.ids import SYSTEM, group
from tui_chat.protocol.models import Message, Tip, TipKind
from tui_chat.tui.safe import Safe, fill, own

if TYPE_CHECKING:
    from .conversation_pane import ConversationPane

Waiting = dict[str, int]
"""userID -> since when, in milliseconds since 1970."""


def applied(message: Message) -> tuple[str, str] | None:
    """The group and who asks to join it, where a notice says that."""
    tip = message.tip
    if tip is None or tip.what is not TipKind.APPLIED or tip.group_id is None:
        return None
    return tip.group_id, tip.operator


def decided_by_notices(notices: Sequence[Message], own_id: str) -> dict[int, Safe]:
    """By messageSeq of the applications that a later notice tells the end of: what it was."""
    open_ones: dict[tuple[str, str], int] = {}
    ended: dict[int, Safe] = {}
    for message in notices:
        if (tip := message.tip) is None or tip.group_id is None:
            continue
        if (one := applied(message)) is not None:
            if one in open_ones:  # who asks anew waited no more
                ended[open_ones[one]] = _over()
            open_ones[one] = message.message_seq
        elif tip.what in (TipKind.ACCEPTED, TipKind.DECLINED):
            for user_id in tip.user_id_list:
                if (seq := open_ones.pop((tip.group_id, user_id), None)) is not None:
                    ended[seq] = said_of(tip.operator, own_id, accepted=tip.what is TipKind.ACCEPTED)
    return ended


def said_of(who: str, own_id: str, *, accepted: bool) -> Safe:
    """Who decided, and how."""
    name = _("you") if who == own_id else who
    return fill(_("let in by {name}") if accepted else _("declined by {name}"), name=name)


def _over() -> Safe:
    return own(_("decided since"))


class Applications:
    """Of the notices that are open, for the pane that shows them and for the commands."""

    def __init__(self, pane: ConversationPane) -> None:
        self._pane = pane
        self._by_me: dict[int, Safe] = {}
        """By messageSeq: what was decided here, as long as the program runs."""
        self._asked: set[str] = set()
        self._waiting: dict[str, Waiting | None] = {}
        """By groupID: who waits; None where one is not told any more."""

    def forget(self) -> None:
        """Another conversation is opened: what was asked may be out of date when these are shown again."""
        self._asked.clear()
        self._waiting.clear()

    def renumbered(self) -> None:
        """The server was restored from a backup: notices have other numbers."""
        self.forget()
        self._by_me.clear()

    def ends_of(self, notices: Sequence[Message]) -> dict[int, Safe]:
        """By messageSeq: what became of those that are decided. Asks for what is not known, and has it shown then."""
        ends = decided_by_notices(notices, self._pane.session.user_id) | self._by_me
        for message in notices:
            one = applied(message)
            if one is None or message.message_seq in ends:
                continue
            if one[0] in self._waiting:
                said = self._as_asked(message, *one)
                if said is not None:
                    ends[message.message_seq] = said
            elif one[0] not in self._asked:
                self._asked.add(one[0])
                self._pane.app.start(self._ask(one[0]))
        return ends

    def is_open(self, message: Message) -> bool:
        """Whether, as far as is known, somebody has to decide about it."""
        return applied(message) is not None and message.message_seq not in self.ends_of(self._pane.messages.held)

    def decided(self, group_id: str, user_id: str, *, accepted: bool) -> None:
        """It was decided here."""
        session = self._pane.session
        said = said_of(session.user_id, session.user_id, accepted=accepted)
        held = self._pane.messages.held if self._pane.conversation_id == SYSTEM else session.cached_tail(SYSTEM)
        known = decided_by_notices(held, session.user_id)
        for message in held:
            if applied(message) == (group_id, user_id) and message.message_seq not in known:
                self._by_me.setdefault(message.message_seq, said)
        self._show()

    def refresh(self, group_id: str) -> None:
        """Somebody else was quicker: ask anew."""
        self._asked.discard(group_id)
        self._waiting.pop(group_id, None)
        self._show()

    async def _ask(self, group_id: str) -> None:
        session = self._pane.session
        try:
            found = await session.applications(group_id)
        except (Forbidden, GroupNotFound, NotAMember):
            self._waiting[group_id] = None
        except ChatError:
            self._asked.discard(group_id)  # it stays as the notices have it
            return
        else:
            self._waiting[group_id] = {one.user_id: one.time for one in found}
        self._show()

    def _show(self) -> None:
        if self._pane.conversation_id == SYSTEM:
            self._pane.messages.look_again()
            self._pane.app.main.show_status()

    def _as_asked(self, message: Message, group_id: str, user_id: str) -> Safe | None:
        """What the group's answer says of it; None: it waits."""
        waiting = self._waiting[group_id]
        if waiting is None:
            return own(_("no longer yours to decide"))
        if user_id in waiting and waiting[user_id] <= message.time:
            return None
        tips = [(one, one.tip) for one in self._pane.session.cached_tail(group(group_id)) if one.tip is not None]
        return next(
            (self._let_in(tip) for one, tip in tips if _lets_in(tip, user_id) and one.time >= message.time), _over()
        )

    def _let_in(self, tip: Tip) -> Safe:
        return said_of(tip.operator, self._pane.session.user_id, accepted=True)


def _lets_in(tip: Tip, user_id: str) -> bool:
    return tip.what in (TipKind.ACCEPTED, TipKind.INVITED) and user_id in tip.user_id_list
