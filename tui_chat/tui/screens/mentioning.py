"""Who can be mentioned in the open conversation: offered after an @, and found in what is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final

from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.ids import ConversationType, parse_conversation_id
from tui_chat.protocol.models import Conversation, Member
from tui_chat.tui import safe
from tui_chat.tui.widgets.completion import OFFERED_MOST, Candidate

if TYPE_CHECKING:
    from tui_chat.client.interface import Session

_NAMED: Final = re.compile(r"(?<![\w.@-])@([\w.-]*\w)")


class Mentions:
    """The people of one conversation; those of a group are asked for when the first @ is typed."""

    def __init__(
        self,
        session: Session,
        *,
        start: Callable[[Coroutine[Any, Any, object]], None],
        known_now: Callable[[], None],
    ) -> None:
        """`start` runs what may take a while; `known_now` is called when there is more to offer than before."""
        self._session = session
        self._start = start
        self._known_now = known_now
        self._row: Conversation | None = None
        self._people: list[Member] = []
        self._asked = False

    def open(self, row: Conversation | None) -> None:
        """Another conversation, or none."""
        self._row = row
        self._asked = False
        self._people = []
        if row is not None and row.type is ConversationType.C2C:
            peer = parse_conversation_id(row.conversation_id).target
            self._people = [Member(user_id=peer, nick=row.name if row.name != peer else None)]

    def candidates(self, typed: str) -> Sequence[Candidate]:
        """Those whose userID or nick begins so, then those that hold it."""
        row = self._row
        if row is None or not self._session.capabilities.mentions:
            return []
        if row.type is ConversationType.GROUP and not self._asked:
            self._asked = True
            self._start(self._ask(row))
        wanted = typed.casefold()
        ranked = (
            sorted(
                (rank, person.user_id.casefold(), person)
                for person in self._people
                if person.user_id != self._session.user_id and (rank := _rank(person, wanted)) is not None
            )
            if wanted
            else [(0, "", person) for person in self._people if person.user_id != self._session.user_id]
        )
        return [Candidate(person.user_id, _shown(person)) for _rank_of, _id, person in ranked[:OFFERED_MOST]]

    def named_in(self, text: str) -> list[str]:
        """userIDs of those whom a text mentions, as far as they are known here; as many as a server takes."""
        if not self._session.capabilities.mentions:
            return []
        known = {person.user_id.casefold(): person.user_id for person in self._people}
        named = (known.get(name.casefold()) for name in _NAMED.findall(text))
        return list(dict.fromkeys(one for one in named if one is not None))[: self._session.server.limits.mentions]

    async def _ask(self, row: Conversation) -> None:
        try:
            people = await self._session.members(parse_conversation_id(row.conversation_id).target)
        except ChatError:
            self._asked = False  # Nothing is offered; the next @ asks again.
            return
        if self._row is not None and self._row.conversation_id == row.conversation_id:
            self._people = people
            self._known_now()


def _rank(person: Member, wanted: str) -> int | None:
    names = (person.user_id.casefold(), (person.nick or "").casefold())
    if names[0].startswith(wanted):
        return 0
    if any(word.startswith(wanted) for word in names[1].split()):
        return 1
    return 2 if wanted in names[0] or wanted in names[1] else None


def _shown(person: Member) -> safe.Safe:
    return safe.fill("@{id}  {nick}", id=person.user_id, nick=person.nick or "")
