"""Lists of conversationIDs as requests bring them: checked whole before anything is done, each conversation once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tui_chat.protocol import limits
from tui_chat.protocol.errors import InvalidConversation, InvalidRequest, TooManyConversations
from tui_chat.protocol.ids import ConversationID, c2c, fold, is_conversation_id, parse_conversation_id

from .caller import Caller


class Named(NamedTuple):
    """A conversation as a request named it."""

    parsed: ConversationID
    folded: str
    """What `state.folded` is compared with."""


def named(caller: Caller, text: str) -> Named:
    """One conversationID. Raises InvalidConversation where it has not the form of one, or names the caller."""
    parsed = parse_conversation_id(text)
    folded = fold(text)
    if folded == fold(c2c(caller.user_id)):
        raise InvalidConversation(f"{text!r} is you: there is no conversation with oneself")
    return Named(parsed, folded)


def distinct(caller: Caller, given: Sequence[str]) -> dict[str, str]:
    """A request's list, in its order, without repeats: how each was given first, by its folded conversationID.

    Raises:
        TooManyConversations: over limits.CONVERSATIONS_A_CALL, counted before anything else is looked at.
        InvalidRequest: it is empty.
        InvalidConversation: an ID in it is malformed, or names the caller.
    """
    check_count(given)
    oneself = fold(c2c(caller.user_id))
    found: dict[str, str] = {}
    for index, text in enumerate(given):
        folded = fold(text)
        if folded == oneself or not is_conversation_id(text):
            try:
                named(caller, text)
            except InvalidConversation as fault:
                fault.details["path"] = f"$.conversationIDList[{index}]"
                raise
        found.setdefault(folded, text)
    return found


def check_count(given: Sequence[object], what: str = "conversationIDList") -> None:
    """Refuse an empty list, and one over limits.CONVERSATIONS_A_CALL."""
    if len(given) > limits.CONVERSATIONS_A_CALL:
        raise TooManyConversations(
            f"a call takes at most {limits.CONVERSATIONS_A_CALL} conversations, this one has {len(given)}; "
            "nothing was changed",
            details={"limit": limits.CONVERSATIONS_A_CALL, "given": len(given)},
        )
    if not given:
        raise InvalidRequest(f"{what} is empty")


def bounds(wanted: Mapping[str, str], up_to: Mapping[str, int] | None) -> dict[str, int]:
    """`upTo` by folded conversationID. Raises InvalidRequest, naming the fault.

    A key that is not in the list is refused: taken for nothing, a mistyped one would delete what the person never saw.
    """
    found: dict[str, int] = {}
    for text, message_seq in (up_to or {}).items():
        folded = fold(text)
        if message_seq < 0 or folded not in wanted:
            place = f'$.upTo["{text[:80]}"]'
            fault = "is not in conversationIDList" if folded not in wanted else "is negative, which no messageSeq is"
            raise InvalidRequest(f"{place} {fault}", details={"path": place})
        if folded not in found or message_seq < found[folded]:
            found[folded] = message_seq
    return found


def folded_users(user_ids: Iterable[str]) -> list[str]:
    """userIDs as they are compared, each once, in their order."""
    return list(dict.fromkeys(fold(user_id) for user_id in user_ids))
