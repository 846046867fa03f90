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
BLOCKS: Final = 1_000
"""Users that one user has blocked at the same time; Tencent's number."""
DEVICES: Final = 100
"""Devices that one user is logged in with at the same time; one more, and the one that was seen longest ago is not."""
RECALL_SECONDS: Final = 120
REACTION_KINDS: Final = 10
"""Different emoji on one message; Tencent's number."""
REACTION_USERS: Final = 20
"""Users that are named for each of them; all are counted."""
EMOJI_BYTES: Final = 48
"""UTF-8 bytes of one emoji; the longest that people use, a couple with two skin tones, has 35."""
READERS_MEMBERS: Final = 200
"""Members of a group up to which it can be asked who has read a message; Tencent's number."""
GROUP_MEMBERS: Final = 2_000
GROUP_ADMINISTRATORS: Final = 20
"""Beside the owner; each is told of each application."""
APPLICATION_CHARACTERS: Final = 120
"""Of what an applicant writes to those who decide."""
LOG_DAYS: Final = 30
LOG_EVENTS: Final = 20_000
"""A user's event log keeps this many events, and none older than LOG_DAYS."""
OPERATION_DAYS: Final = 30
"""How long a retry of an operationID gets its first answer."""
DELETION_LOG_DAYS: Final = 30
AUDIT_DAYS: Final = 365
"""How long it is kept what administrators did."""
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
PRESENCE_PEERS: Final = 1_000
"""Of those with whom a user talked last, how many are told whether the user is there."""
SEARCH_CHARACTERS: Final = 200
SEARCH_WORDS: Final = 8
"""Words of one query, all of which must stand in a message; what follows is refused."""

DELETIONS_A_SECOND: Final = 50.0
DELETIONS_BURST: Final = 200
MESSAGES_A_SECOND: Final = 20.0
MESSAGES_BURST: Final = 100
OTHERS_A_SECOND: Final = 50.0
OTHERS_BURST: Final = 200
SEARCHES_A_SECOND: Final = 2.0
SEARCHES_BURST: Final = 20
"""Tencent's cloud search takes two a second."""
LOGINS_A_MINUTE: Final = 5
NICKS_A_MINUTE: Final = 1.0
NICKS_BURST: Final = 5
"""Changes of a nick, of which up to NICK_AUDIENCE others are told."""
NICK_AUDIENCE: Final = 2_000
DEVICES_SHARE: Final = 2
"""How many times the limit of one device all devices of a user have together: one that runs wild leaves room."""

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
    reaction_kinds: int = REACTION_KINDS
    readers_members: int = READERS_MEMBERS
    group_members: int = GROUP_MEMBERS
