"""What the names of fields mean, for openapi.json: forms, bounds and examples of what the structs hold as plain text.

The operations check these rules themselves, with refusals of their own (`invalid_conversation` rather than "does not
match"), so that they do not stand in the structs. The names are the wire's.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from tui_chat.protocol import limits

_USER: Final = rf"[A-Za-z0-9][A-Za-z0-9_.\-]{{0,{limits.USER_ID_CHARACTERS - 1}}}"
_GROUP: Final = rf"(@[Tt][Gg][Ss]#)?[A-Za-z0-9][A-Za-z0-9_.\-]{{0,{limits.GROUP_ID_CHARACTERS - 1}}}"

_CONVERSATION_ID: Final = {
    "type": "string",
    "pattern": rf"^(C2C{_USER}|GROUP{_GROUP}|@TIM#SYSTEM)$",
    "examples": ["C2Cbob", "GROUPteam", "@TIM#SYSTEM"],
}
_USER_ID: Final = {"type": "string", "pattern": f"^{_USER}$", "examples": ["bob"]}
_GROUP_ID: Final = {"type": "string", "pattern": f"^{_GROUP}$", "examples": ["team", "@TGS#MFRGGZDFMZTWQ2LK"]}
_IDENTIFIER: Final = {
    "type": "string",
    "pattern": rf"^[A-Za-z0-9_.:\-]{{1,{limits.IDENTIFIER_CHARACTERS}}}$",
    "examples": ["5f0c6b2e9f7a4b0f8a3d2f1e0c9b8a7d"],
}
_SEQ: Final = {"type": "integer", "minimum": 0, "maximum": 2**53, "examples": [42]}
_TIME: Final = {"type": "integer", "description": "Milliseconds since 1970 in UTC.", "examples": [1_760_000_000_000]}
_COUNT: Final = {"type": "integer", "minimum": 0}

EVERYWHERE: Final[dict[str, dict[str, Any]]] = {
    "conversationID": _CONVERSATION_ID,
    "userID": _USER_ID,
    "newOwner": _USER_ID,
    "groupID": _GROUP_ID,
    "operationID": _IDENTIFIER,
    "batchID": _IDENTIFIER,
    "messageSeq": _SEQ,
    "newestSeq": _SEQ,
    "firstSeq": _SEQ,
    "joinSeq": _SEQ,
    "readSeq": _SEQ,
    "peerReadSeq": _SEQ,
    "hiddenThrough": _SEQ,
    "clearedThrough": _SEQ,
    "eventSeq": _SEQ,
    "replyTo": _SEQ,
    "time": _TIME,
    "createdAt": _TIME,
    "lastSeenAt": _TIME,
    "editedAt": _TIME,
    "undoSeconds": {"type": "integer", "minimum": 0, "maximum": limits.UNDO_SECONDS_MOST},
    "messageCount": _COUNT,
    "unreadCount": _COUNT,
    "mentionCount": _COUNT,
    "memberCount": _COUNT,
    "version": _COUNT,
    "cursor": {"type": "string", "examples": ["9f8e7d6c5b4a:41"]},
}
"""In requests and in answers."""

ASKED: Final[dict[str, dict[str, Any]]] = {
    "clientID": _IDENTIFIER,
    "text": {"type": "string", "minLength": 1, "maxLength": limits.TEXT_BYTES, "examples": ["hello"]},
    "name": {"type": "string", "minLength": 1, "maxLength": limits.NAME_CHARACTERS, "examples": ["Team"]},
    "nick": {"type": "string", "minLength": 1, "maxLength": limits.NAME_CHARACTERS, "examples": ["Bob"]},
    "deviceName": {"type": "string", "minLength": 1, "maxLength": limits.NAME_CHARACTERS, "examples": ["laptop"]},
    "password": {
        "type": "string",
        "minLength": limits.PASSWORD_CHARACTERS_LEAST,
        "maxLength": limits.PASSWORD_CHARACTERS_MOST,
        "format": "password",
    },
    "newPassword": {
        "type": "string",
        "minLength": limits.PASSWORD_CHARACTERS_LEAST,
        "maxLength": limits.PASSWORD_CHARACTERS_MOST,
        "format": "password",
    },
    "conversationIDList": {
        "type": "array",
        "items": _CONVERSATION_ID,
        "minItems": 1,
        "maxItems": limits.CONVERSATIONS_A_CALL,
    },
    "items": {"type": "array", "minItems": 1, "maxItems": limits.CONVERSATIONS_A_CALL},
    "mentions": {"type": "array", "items": _USER_ID, "maxItems": limits.MENTIONS},
    "members": {"type": "array", "items": _USER_ID, "maxItems": limits.GROUP_MEMBERS},
    "upTo": {"type": "object", "additionalProperties": _SEQ, "examples": [{"C2Cbob": 42}]},
}
"""In requests alone."""

_IN_PATHS: Final[dict[str, dict[str, Any]]] = {
    "conversation_id": _CONVERSATION_ID,
    "user_id": _USER_ID,
    "group_id": _GROUP_ID,
    "batch_id": _IDENTIFIER,
    "device_id": {"type": "string", "pattern": r"^[A-Za-z0-9_\-]{1,64}$"},
    "message_seq": _SEQ,
    "emoji": {"type": "string", "minLength": 1, "maxLength": 64, "examples": ["👍"]},
}


def path_parameters(path: str) -> Iterator[dict[str, Any]]:
    """The parameters of an address, as OpenAPI has them."""
    for name in re.findall(r"{(\w+)}", path):
        schema = _IN_PATHS.get(name, {"type": "string", "minLength": 1})
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def refine(schema: dict[str, Any]) -> None:
    """Add to the properties of one struct's schema what their names say; what stands there already stays."""
    asked = schema.get("additionalProperties") is False
    for name, described in schema.get("properties", {}).items():
        refine_field(name, described, asked=asked)


def refine_field(name: str, described: dict[str, Any], *, asked: bool) -> None:
    """The same for one field; `asked`: it is a request's."""
    rule = (ASKED.get(name) if asked else None) or EVERYWHERE.get(name)
    if rule is None:
        return
    for one in (described, *described.get("anyOf", ())):
        if one.get("type") == rule["type"]:
            merged = {**rule, **one}
            if rule["type"] == "array" and "$ref" in one["items"]:
                merged["items"] = one["items"]
            elif rule["type"] == "array":
                merged["items"] = {**rule.get("items", {}), **one["items"]}
            elif rule["type"] == "object":
                merged["additionalProperties"] = rule["additionalProperties"]
            one.clear()
            one.update(merged)
