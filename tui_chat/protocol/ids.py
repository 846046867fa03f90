"""What things are called: users, groups, conversations. Forms as in Tencent Cloud Chat.

Source of the rules: https://www.tencentcloud.com/document/product/1047/48313 (C2C…, GROUP…, @TIM#SYSTEM).
"""

import re
import secrets
from base64 import b32encode
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from . import limits
from .errors import InvalidConversation, InvalidName, InvalidRequest

SYSTEM: Final = "@TIM#SYSTEM"
"""The conversation in which the server's notices arrive; everyone has it, nobody can write to it."""

_USER = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.\-]{{0,{limits.USER_ID_CHARACTERS - 1}}}", re.ASCII)
_GROUP = re.compile(rf"(?:@[Tt][Gg][Ss]#)?[A-Za-z0-9][A-Za-z0-9_.\-]{{0,{limits.GROUP_ID_CHARACTERS - 1}}}", re.ASCII)
_CONVERSATION = (
    rf"(?:C2C(?:{_USER.pattern})|GROUP(?=.{{1,{limits.GROUP_ID_CHARACTERS}}}$)(?:{_GROUP.pattern})|{re.escape(SYSTEM)})"
)
_IDENTIFIER = re.compile(rf"[A-Za-z0-9_.:\-]{{1,{limits.IDENTIFIER_CHARACTERS}}}", re.ASCII)
_SERVER_MADE = "@TGS#"


class ConversationType(StrEnum):
    """The three kinds; the values are what stands in a Conversation's `type`."""

    C2C = "C2C"
    GROUP = "GROUP"
    SYSTEM = "SYSTEM"


class ConversationID(NamedTuple):
    """A parsed conversationID: its kind and the userID or groupID behind the prefix (empty for the system's)."""

    type: ConversationType
    target: str

    def __str__(self) -> str:
        return SYSTEM if self.type is ConversationType.SYSTEM else f"{self.type.value}{self.target}"


def parse_conversation_id(text: str) -> ConversationID:
    """Read `C2C{userID}`, `GROUP{groupID}` or `@TIM#SYSTEM`.

    Raises:
        InvalidConversation: it is none of them.
    """
    if text == SYSTEM:
        return ConversationID(ConversationType.SYSTEM, "")
    if text.startswith("C2C") and _USER.fullmatch(text, 3):
        return ConversationID(ConversationType.C2C, text[3:])
    if text.startswith("GROUP") and _is_group_id(text[5:]):
        return ConversationID(ConversationType.GROUP, text[5:])
    raise InvalidConversation(f"{text[:80]!r} is no conversationID: it must be C2C<userID>, GROUP<groupID> or {SYSTEM}")


def c2c(user_id: str) -> str:
    """The conversationID of the one-to-one conversation with `user_id`."""
    return f"C2C{user_id}"


def group(group_id: str) -> str:
    """The conversationID of the group `group_id`."""
    return f"GROUP{group_id}"


def fold(identifier: str) -> str:
    """The form in which userIDs and groupIDs are compared: case does not count."""
    return identifier.lower()


def fold_conversation_ids(texts: Sequence[str]) -> list[str] | None:
    """conversationIDs as they are compared; None where `parse_conversation_id` would not read each of them. A hundred
    take a third of the time that they take one by one."""
    joined = "\n".join(texts)
    if joined.count("\n") != len(texts) - 1 or _conversations().fullmatch(joined) is None:
        return None
    return fold(joined).split("\n")


@cache
def _conversations() -> re.Pattern[str]:
    """A line each. Compiled when it is first needed, which no client's start waits for."""
    return re.compile(rf"{_CONVERSATION}(?:\n{_CONVERSATION})*", re.ASCII | re.MULTILINE)


def same_conversation(one: str, other: str) -> bool:
    """Whether two conversationIDs name the same conversation; the prefix counts, the case of the rest does not."""
    return one == other or fold(one) == fold(other)


def check_user_id(text: str) -> str:
    """The userID itself. Raises InvalidName where it has not the form of one."""
    if not _USER.fullmatch(text):
        raise InvalidName(
            f"a userID is 1 to {limits.USER_ID_CHARACTERS} of A-Z a-z 0-9 _ . - and starts with a letter or digit"
        )
    return text


def check_new_group_id(text: str) -> str:
    """The groupID that a person chose. Raises InvalidName where it has not the form, or the server's own prefix."""
    if text.startswith("@") or not _is_group_id(text):
        raise InvalidName(
            f"a groupID is 1 to {limits.GROUP_ID_CHARACTERS} of A-Z a-z 0-9 _ . - and starts with a letter or digit"
        )
    return text


def check_identifier(text: str, what: str) -> str:
    """A clientID, operationID or batchID as given. Raises InvalidRequest, naming `what`."""
    if not _IDENTIFIER.fullmatch(text):
        raise InvalidRequest(f"{what} must be 1 to {limits.IDENTIFIER_CHARACTERS} of A-Z a-z 0-9 _ . : -")
    return text


def new_group_id() -> str:
    """A groupID such as the server makes: `@TGS#` and base32."""
    return _SERVER_MADE + b32encode(secrets.token_bytes(10)).decode("ascii")


def new_identifier() -> str:
    """A fresh clientID, operationID or batchID: 128 random bits."""
    return secrets.token_hex(16)


def _is_group_id(text: str) -> bool:
    return len(text) <= limits.GROUP_ID_CHARACTERS and _GROUP.fullmatch(text) is not None
