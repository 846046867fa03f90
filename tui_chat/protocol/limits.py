"""Every number that limits anything, in one place. What a client must know of it travels as `Limits`."""

from typing import Final

from .wire import Wire

CONVERSATIONS_A_CALL: Final = 100
"""IDs in one deletion; the number of Tencent's `deleteConversation`, which cuts the rest off silently. Ours refuses."""
TEXT_BYTES: Final = 8 * 1024
"""UTF-8 bytes of one message's text."""
FRAME_BYTES: Final = 64 * 1024
"""Bytes of one WebSocket frame, either way."""
BODY_BYTES: Final = 1024 * 1024
"""Bytes of one HTTP request body."""
PAGE: Final = 100
"""Most entries of one page."""
PAGE_DEFAULT: Final = 50
PINS: Final = 50
MENTIONS: Final = 30
RECALL_SECONDS: Final = 120
GROUP_MEMBERS: Final = 2_000
LOG_DAYS: Final = 30
LOG_EVENTS: Final = 20_000
"""A user's event log keeps this many events, and none older than LOG_DAYS."""
OPERATION_DAYS: Final = 30
"""How long a retry of an operationID gets its first answer."""
DELETION_LOG_DAYS: Final = 30
UNDO_SECONDS_DEFAULT: Final = 600
UNDO_SECONDS_MOST: Final = 86_400
WAIT_SECONDS_MOST: Final = 25
"""Longest that `/v1/sync?wait=` holds its answer."""
PREVIEW_CHARACTERS: Final = 200
NAME_CHARACTERS: Final = 60
"""Characters of a nick, a group's or a device's name."""
USER_ID_CHARACTERS: Final = 32
GROUP_ID_CHARACTERS: Final = 48
IDENTIFIER_CHARACTERS: Final = 64
"""Characters of a clientID, operationID or batchID."""
PASSWORD_CHARACTERS_LEAST: Final = 8
PASSWORD_CHARACTERS_MOST: Final = 128
SEARCH_CHARACTERS: Final = 200

DELETIONS_A_SECOND: Final = 50.0
DELETIONS_BURST: Final = 200
MESSAGES_A_SECOND: Final = 20.0
MESSAGES_BURST: Final = 100
OTHERS_A_SECOND: Final = 50.0
OTHERS_BURST: Final = 200
LOGINS_A_MINUTE: Final = 5

ACCESS_TOKEN_SECONDS: Final = 3_600
REFRESH_TOKEN_SECONDS: Final = 30 * 86_400

HELLO_SECONDS: Final = 5.0
"""A socket that has not said hello by then is closed."""
STALL_SECONDS: Final = 10.0
"""A socket that takes nothing for so long is closed with a code that tells it to come back."""
PING_SECONDS: Final = 20.0
POSITION_CHECK_SECONDS: Final = 10.0
SOCKETS_A_USER: Final = 100
"""Event sockets that one user has open at the same time."""
SOCKET_QUEUE: Final = 256
"""Envelopes that wait for one socket; when it overflows, the socket reads on from the log."""


class Limits(Wire, frozen=True, kw_only=True):
    """What clients have to know of the numbers above (`server.limits`)."""

    conversations_a_call: int = CONVERSATIONS_A_CALL
    text_bytes: int = TEXT_BYTES
    page: int = PAGE
    pins: int = PINS
    mentions: int = MENTIONS
    recall_seconds: int = RECALL_SECONDS
    group_members: int = GROUP_MEMBERS
