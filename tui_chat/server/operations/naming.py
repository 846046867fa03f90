"""Lists of conversationIDs as requests bring them: checked whole before anything is done, each conversation once."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from tui_chat.protocol import limits
from tui_chat.protocol.errors import InvalidConversation, InvalidRequest, TooManyConversations
from tui_chat.protocol.ids import ConversationID, c2c, fold, fold_conversation_ids, parse_conversation_id

from .caller import Caller

REMEMBERED: Final = 4_096
"""Names that need not be taken apart again: whoever writes into a conversation writes there again."""

UNBOUNDED: Final = 2**63 - 1
"""More than any messageSeq."""


class Named(NamedTuple):
    """A conversation as a request named it."""

    parsed: ConversationID
    folded: str
    """What `state.folded` is compared with."""


def named(caller: Caller, text: str) -> Named:
    """One conversationID. Raises InvalidConversation where it has not the form of one, or names the caller."""
    return _named(caller.user_id, text)


@lru_cache(REMEMBERED)
def _named(own: str, text: str) -> Named:
    parsed = parse_conversation_id(text)
    folded = fold(text)
    if folded == fold(c2c(own)):
        raise InvalidConversation(f"{text!r} is you: there is no conversation with oneself")
    return Named(parsed, folded)


class Wanted(NamedTuple):
    """The conversations of a list, in its order, without repeats."""

    folded: list[str]
    """Their IDs as they are compared."""
    given: list[str]
    """How each was given first."""


def distinct(caller: Caller, given: list[str]) -> Wanted:
    """What a request's list names.

    Raises:
        TooManyConversations: over limits.CONVERSATIONS_A_CALL, counted before anything else is looked at.
        InvalidRequest: it is empty.
        InvalidConversation: an ID in it is malformed, or names the caller.
    """
    check_count(given)
    folded = fold_conversation_ids(given)
    if folded is None:
        raise _fault(caller, given)
    once = set(folded)
    if fold(c2c(caller.user_id)) in once:
        raise _fault(caller, given)
    if len(once) < len(given):
        first = dict(zip(reversed(folded), reversed(given), strict=True))
        folded = [*dict.fromkeys(folded)]
        given = [first[one] for one in folded]
    return Wanted(folded, given)


def _fault(caller: Caller, given: Sequence[str]) -> InvalidConversation:
    """Of the first that is malformed or names the caller."""
    for index, text in enumerate(given):
        try:
            named(caller, text)
        except InvalidConversation as fault:
            fault.details["path"] = f"$.conversationIDList[{index}]"
            return fault
    raise AssertionError("each of them is a conversationID")


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


def bounds(wanted: Wanted, up_to: Mapping[str, int] | None) -> list[int] | None:
    """`upTo` of each that is wanted, in their order: UNBOUNDED where it is not given; None where that is so of all.

    Raises:
        InvalidRequest: it names the fault.
    """
    if not up_to:
        return None
    if [*up_to] == wanted.given and min(up_to.values()) >= 0:
        return [*up_to.values()]  # In the order of the list, as our own clients send it.
    known = set(wanted.folded)
    found: dict[str, int] = {}
    for text, message_seq in up_to.items():
        folded = fold(text)
        if message_seq < 0 or folded not in known:
            # Taken for nothing, a key that was mistyped would delete what the person never saw.
            place = f'$.upTo["{text[:80]}"]'
            fault = "is not in conversationIDList" if folded not in known else "is negative, which no messageSeq is"
            raise InvalidRequest(f"{place} {fault}", details={"path": place})
        found[folded] = min(message_seq, found.get(folded, UNBOUNDED))
    return [found.get(folded, UNBOUNDED) for folded in wanted.folded]


def folded_users(user_ids: Iterable[str]) -> list[str]:
    """userIDs as they are compared, each once, in their order."""
    return list(dict.fromkeys(fold(user_id) for user_id in user_ids))
