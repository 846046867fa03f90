"""From what people write to conversationIDs: `bob`, `#ubuntu`, `system`, `C2Cbob`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tui_chat.locale import _
from tui_chat.protocol.errors import ConversationNotFound, InvalidConversation
from tui_chat.protocol.ids import SYSTEM, ConversationType, c2c, fold, parse_conversation_id, same_conversation
from tui_chat.protocol.models import Conversation

from .failures import OwnWords, Usage


class NobodyCalledThat(OwnWords, InvalidConversation):
    """A name that no conversation has."""


class UnknownThere(OwnWords, ConversationNotFound):
    """An ID of which the server knows no conversation."""


class Ambiguous(Usage):
    """A name that several conversations have; `str()` lists their IDs."""


def resolve(name: str, conversations: Iterable[Conversation]) -> str:
    """The conversationID that a name stands for.

    A full conversationID is taken as it is, listed or not (a server may know what a list does not show); `system` is
    the system's; `#name` is a group by its name or groupID; anything else a person by userID or nick, or a group by
    its name.

    Raises:
        Ambiguous: several conversations have that name.
        NobodyCalledThat: none has, and it is no ID either.
        InvalidConversation: it begins as an ID does, and is none.
    """
    known = list(conversations)
    if name == SYSTEM or fold(name) == "system":
        return SYSTEM
    exact = [item.conversation_id for item in known if same_conversation(item.conversation_id, name)]
    if exact:
        return exact[0]
    if name.startswith(("C2C", "GROUP")):
        return str(parse_conversation_id(name))
    matches = [item.conversation_id for item in known if _is_called(item, name)]
    by_user_id = [match for match in matches if same_conversation(match, c2c(name))]
    if by_user_id:
        return by_user_id[0]
    if len(matches) > 1:
        said = _("{name!r} is the name of {count} conversations; name one: {ids}")
        raise Ambiguous(said.format(name=name, count=len(matches), ids=", ".join(matches[:10])))
    if matches:
        return matches[0]
    try:
        return str(parse_conversation_id(c2c(name)))
    except InvalidConversation:
        raise NobodyCalledThat(_unknown(name)) from None


@contextmanager
def naming(name: str) -> Iterator[None]:
    """What looks like an ID, a server has to know: where it does not, say so as of any other name."""
    try:
        yield
    except ConversationNotFound as error:
        raise UnknownThere(_unknown(name)) from error


def _unknown(name: str) -> str:
    return _("no conversation is called {name!r}; `tui-chat list` shows them all").format(name=name)


def _is_called(conversation: Conversation, name: str) -> bool:
    if conversation.type is ConversationType.SYSTEM:
        return False  # it has no name of its own: `system` is taken care of before
    target = parse_conversation_id(conversation.conversation_id).target
    if name.startswith("#"):
        wanted = {fold(name), fold(name[1:])}
        return conversation.type is ConversationType.GROUP and (
            fold(conversation.name) in wanted or fold(target) in wanted
        )
    return fold(name) in (fold(conversation.name), fold(target))
