"""Who one is and what the server says of itself: kept over a restart, told where it is other than before."""

from msgspec.structs import replace

from tui_chat.cache.store import AccountStore, CacheError
from tui_chat.protocol.models import ServerFacts
from tui_chat.protocol.requests import Me

from .announcer import Announcer
from .changes import NickChanged, ServerChanged
from .housekeeping import Housekeeping


class Identity:
    """One's own account as last heard of."""

    def __init__(self, store: AccountStore, house: Housekeeping, announcer: Announcer):
        self._store = store
        self._house = house
        self._announcer = announcer
        self.me: Me | None = store.facts()
        """None until the server has told for the first time."""
        self.server = self.me.server if self.me is not None else ServerFacts(version="")

    @property
    def nick(self) -> str | None:
        """One's own display name."""
        return self.me.nick if self.me is not None else None

    def learn(self, me: Me) -> None:
        """Who one is, as the server says."""
        self.learn_server(me.server)
        if self.me is not None and self.me.nick != me.nick:
            self._announcer.put(NickChanged(nick=me.nick))
        self._keep(me)

    def learn_server(self, server: ServerFacts) -> None:
        """The server's facts."""
        if server == self.server:
            return
        self.server = server
        if self.me is not None:
            self._keep(replace(self.me, server=server))
        self._announcer.put(ServerChanged(server=server))

    def learn_nick(self, nick: str | None) -> None:
        """One's own display name, as an event has it."""
        if self.me is not None:
            self.learn(replace(self.me, nick=nick))

    def _keep(self, me: Me) -> None:
        self.me = me
        try:
            self._store.set_facts(me)
        except CacheError as error:
            self._house.disk_failed(error)
        self._house.wrote()
