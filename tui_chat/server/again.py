"""Requests that come again: whoever has asked over a connection asks in the same words the next time, but for the body.

To take a head apart goes through the parser and a dozen functions, which on an idle machine have left the processor's
caches by the next message. A head that is, byte for byte, one that was taken apart needs only to be recognised.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from .asked import Header

HEADS_MOST: Final = 16
"""Of one connection, by their first lines; then it begins anew."""
HEAD_BYTES_MOST: Final = 1_024
DIGITS_MOST: Final = 5
"""Of a body's length; what is longer does not come in one piece."""
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([1-9][0-9]*)(?=\r\n)", re.IGNORECASE)


class Again(NamedTuple):
    """A request, taken apart."""

    method: str
    path: str
    query: bytes
    pairs: Sequence[Header]
    """Its headers as they came."""
    fields: Mapping[bytes, bytes]
    """The same by name."""
    body: bytes


class _Head(NamedTuple):
    """A head that was taken apart."""

    whole: bytes
    size: int
    """Of it and the body that it had."""
    before: bytes
    """Up to the length of the body."""
    behind: bytes
    """From there on."""
    request: Again
    """Without a body."""


class Heads:
    """The heads of whole requests with bodies that came over one connection."""

    __slots__ = ("_heads",)

    def __init__(self) -> None:
        self._heads: dict[bytes, _Head] = {}
        """By the first line."""

    def find(self, data: bytes) -> Again | None:
        """The request of which a piece consists, and nothing else; None where that has to be found out otherwise."""
        head = self._heads.get(data[: data.find(b"\r")])
        if head is None:
            return None
        method, path, query, pairs, fields, _ = head.request
        if len(data) == head.size and data.startswith(head.whole):
            return Again(method, path, query, pairs, fields, data[len(head.whole) :])
        if not data.startswith(head.before):
            return None
        end = data.find(b"\r", len(head.before))
        length, body = data[len(head.before) : end], data[end + len(head.behind) :]
        if (
            not (length.isdigit() and len(length) <= DIGITS_MOST)
            or length.startswith(b"0")
            or not data.startswith(head.behind, end)
            or len(body) != int(length)
        ):
            return None
        pairs = [(name, length if name == b"content-length" else value) for name, value in pairs]
        return Again(method, path, query, pairs, dict(pairs), body)

    def remember(self, data: bytes, request: Again) -> None:
        """Keep the head of a request, if it is all that came in a piece."""
        end = data.find(b"\r\n\r\n") + 4
        length = _LENGTH.search(data, 0, end)
        if (
            length is None
            or end > HEAD_BYTES_MOST
            or len(length[1]) > DIGITS_MOST
            or len(data) - end != int(length[1])
            or b"transfer-encoding" in request.fields
            or len(request.fields) < len(request.pairs)
        ):
            return
        if len(self._heads) >= HEADS_MOST:
            self._heads.clear()
        before, behind = data[: length.start(1)], data[length.end(1) : end]
        head = _Head(data[:end], len(data), before, behind, request._replace(body=b""))
        self._heads[data[: data.find(b"\r")]] = head
