"""The tour in its window: what is told to the coach, and the friend who writes in its last step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tui_chat.protocol.ids import c2c, parse_conversation_id
from tui_chat.protocol.models import Conversation
from tui_chat.tui.render.rows import conversation_name

from .coach import Coach, Did

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp

FRIEND = "bob"
"""Who writes in the last step where nobody's conversation was among those deleted."""


class Tour:
    """One window's."""

    def __init__(
        self,
        app: ChatApp,
        *,
        begun: bool,
        ended: Callable[[], None] | None,
        nudge: Callable[[str], Awaitable[object]] | None,
    ) -> None:
        """`begun`, `ended`, `nudge`: the coach, coach_ended and nudge of ChatApp."""
        self.coach = Coach(active=begun)
        self._app = app
        self._ended = ended
        self._nudge = nudge
        self._awaited: str | None = None
        """The conversation whose return is the last step."""

    @property
    def active(self) -> bool:
        """Whether there is a line to show."""
        return self.coach.active

    def sees(self, what: Did) -> None:
        """Tell the coach."""
        before = self.coach.finished
        if self.coach.see(what):
            self._app.main.show_coach()
            if self.coach.finished and not before:
                self._remember()

    def sees_second(self, name: str) -> None:
        """The other device of that name stands beside."""
        self.coach.second(name)
        self.sees(Did.OPENED_SECOND)

    def sees_deleted_beside(self, person: Conversation | None) -> None:
        """The other device removed rows: that person is asked to write, so that the row returns; otherwise a friend."""
        if not self.coach.active or self.coach.awaits is not Did.DELETED_BESIDE:
            return
        self._awaited = person.conversation_id if person is not None else c2c(FRIEND)
        user_id = parse_conversation_id(self._awaited).target
        self.coach.peer(conversation_name(person) if person is not None else user_id, gone=person is not None)
        self.sees(Did.DELETED_BESIDE)
        if self._nudge is not None:
            nudge = self._nudge

            async def ask() -> None:
                await nudge(user_id)

            self._app.start(ask())

    def sees_updated(self, conversation_ids: list[str]) -> None:
        """These rows are new or other than before."""
        if self._awaited in conversation_ids and self._awaited in self._app.session.conversations:
            self.sees(Did.RETURNED)

    def end(self) -> None:
        """The coach's line goes for good."""
        if not self.coach.finished:
            self._remember()
        self.coach.end()
        self._app.main.show_coach()

    def escape(self) -> None:
        """Esc, with nothing else left for it to end."""
        if not self.coach.finished:
            self._remember()
        self.coach.escape()
        self._app.main.show_coach()

    def _remember(self) -> None:
        if self._ended is not None:
            self._ended()
