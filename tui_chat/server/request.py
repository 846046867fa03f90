"""From a request to a handler and back: token, limits, body, query; answers and refusals in one shape."""

import asyncio
import math
import re
from contextlib import aclosing
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from tui_chat.protocol import limits
from tui_chat.protocol.errors import (
    BodyTooLarge,
    ChatError,
    ErrorAnswer,
    InvalidRequest,
    ServerRestored,
    Unauthorized,
)
from tui_chat.protocol.wire import SEEN_AT, encode

from .addresses import Send
from .asked import Asked, AskedByASGI, Header, head
from .operations.caller import Caller
from .options import address_of
from .ratelimit import limited_address
from .routes.endpoint import LINES, NOTHING, Call, Counted, Endpoint, Nothing, Peer, Pieces
from .services import Services
from .transport import ABORT

QUERY_FIELDS_MOST: Final = 20
_SEEN_AT: Final = SEEN_AT.lower().encode()

_WHOLE_ESCAPES: Final = re.compile(rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
"""In JSON: a backslash, a pair of surrogates."""
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


async def handle(services: Services, endpoint: Endpoint[Any, Any, Any], asked: Asked) -> Any:
    """Answer one request; what was answered.

    Raises:
        ChatError: refused; nothing was sent yet.
    """
    peer = peer_of(services, asked)
    forgotten = services.tokens.forgotten
    caller = None
    if not endpoint.anyone:
        caller = asked.caller = _remembered(services, asked) or await authenticate(services, asked, peer)
    _count(services, endpoint, caller, peer)
    if endpoint.numbered and (seen_at := asked.headers.get(_SEEN_AT)) is not None:
        check_numbering(services, seen_at)
    query = _query(endpoint.query, asked.query)
    body: Any = _decode(endpoint.decoder, await asked.body()) if endpoint.takes_body else NOTHING
    if caller is not None and services.tokens.forgotten != forgotten:
        # Whoever was slow with the body, or had to be looked up, may have been logged out meanwhile.
        caller = await authenticate(services, asked, peer)
    result = await endpoint.handler(Call(services, caller, body, query, asked.parameters, peer, asked.gone))
    if isinstance(result, Pieces):
        assert isinstance(asked, AskedByASGI)
        await _answer_in_pieces(result, asked)
        return None
    await asked.answer(200, encode(result))
    return result


def peer_of(services: Services, asked: Asked) -> Peer:
    """Where the request comes from; a proxy is believed only where it is trusted."""
    headers, connection = asked.headers, asked.client
    trusted = services.trusted_proxies
    if not trusted or connection is None or address_of(connection) not in trusted:
        return Peer(connection, connection, headers)
    hops = [hop.strip() for hop in headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")]
    for hop in reversed(hops):
        address = address_of(hop)
        if address is None:
            break
        if address not in trusted:
            return Peer(connection, hop, headers)
    return Peer(connection, connection, headers)


async def authenticate(services: Services, asked: Asked, peer: Peer) -> Caller:
    """The device whose token stands in the request.

    Raises:
        Unauthorized: no token, or none that is valid.
        TooFrequent: too many such from that address.
    """
    found = asked.token()
    try:
        if found is None:
            raise Unauthorized("this needs `Authorization: Bearer` with an access token")
        token, key = found
        return services.tokens.known(key) or await services.tokens.caller(token, key)
    except Unauthorized:
        count_address(services, peer)
        raise


async def is_gone(services: Services, asked: Asked) -> bool:
    """Whether the device that asked was let in, and is no more, whatever is remembered of it."""
    found = asked.token()
    if asked.caller is None or found is None:
        return False
    try:
        await services.tokens.look_up(found[0])
    except ChatError as refusal:
        return isinstance(refusal, Unauthorized)  # Of a database that cannot be used it is not known.
    return False


def _remembered(services: Services, asked: Asked) -> Caller | None:
    """The same where it need not be looked up, as mostly."""
    found = asked.token()
    return None if found is None else services.tokens.known(found[1])


def check_numbering(services: Services, seen_at: bytes) -> None:
    """Raise ServerRestored where what was seen at this cursor had other numbers, or nobody knows which."""
    if services.cursors.fullmatch(seen_at) is None:
        raise ServerRestored()


def _count(services: Services, endpoint: Endpoint[Any, Any, Any], caller: Caller | None, peer: Peer) -> None:
    """Count the call for its device and user; for its address where there is none, or where a password is tried.

    Raises:
        TooFrequent: one too many.
    """
    limit = endpoint.limit
    if limit is None:
        return
    if caller is None or endpoint.counted is Counted.LOGINS:
        count_address(services, peer, tries_password=endpoint.counted is Counted.LOGINS)
    if caller is not None:
        limit(services.limiter).take(caller.user, caller.device)


def count_address(services: Services, peer: Peer, *, tries_password: bool = False) -> None:
    """Count a call for its address.

    Raises:
        TooFrequent: one too many.
    """
    address = limited_address(peer.address)
    if address is not None:
        (services.limiter.logins if tries_password else services.limiter.strangers).take(address)


async def _answer_in_pieces(pieces: Pieces, asked: AskedByASGI) -> None:
    """Send an answer of many lines as it is made; a peer that takes nothing for limits.STALL_SECONDS is cut off.

    Raises:
        ChatError: refused; nothing was sent yet.
    """
    send = asked.send
    async with aclosing(pieces.data) as data:
        first = await anext(data)
        await send({"type": "http.response.start", "status": 200, "headers": head(LINES.encode())})
        if asked.method != "HEAD":
            hung_up = asyncio.ensure_future(asked.gone())  # of which `send` says nothing
            try:
                await _send_piece(first, send)
                async for piece in data:
                    await _send_piece(piece, send)
                    if hung_up.done():
                        return
            except ChatError as error:
                await _send_piece(pieces.failed(error), send)
            except TimeoutError:
                asked.scope["extensions"][ABORT]()
                await asyncio.sleep(0)
                return
            finally:
                hung_up.cancel()
        await send({"type": "http.response.body", "body": b""})


async def _send_piece(piece: bytes, send: Send) -> None:
    async with asyncio.timeout(limits.STALL_SECONDS):
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def refuse(error: ChatError, asked: Asked) -> None:
    """Send a refusal, in its one shape, in answer to a request or to a socket's handshake."""
    more: list[Header] = []
    if error.retry_after is not None or error.status == 503:
        more.append((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after or 1))))
    if error.status == 401:
        more.append((b"www-authenticate", b"Bearer"))
    if error.status == 405:
        more.append((b"allow", ", ".join(error.details.get("allow", ["GET"])).encode()))
    body = encode(ErrorAnswer(error=error.body()))
    await asked.answer(error.status, body, more, unread=isinstance(error, BodyTooLarge))


def _decode(decoder: "msgspec.json.Decoder[Any]", body: bytes) -> Any:
    try:
        return decoder.decode(body or b"{}")
    except msgspec.ValidationError as error:
        raise invalid("the body", error) from None
    except msgspec.DecodeError as error:
        fault = "a string in it has an unpaired surrogate" if _has_unpaired_surrogate(body) else str(error)
        raise InvalidRequest(f"the body is not a JSON object: {fault}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the body is not a JSON object: {error}") from None


def _has_unpaired_surrogate(body: bytes) -> bool:
    """Whether a surrogate is escaped without its other half, which msgspec takes for data that was truncated."""
    return _SURROGATE.search(_WHOLE_ESCAPES.sub(b" ", body)) is not None


def _query(kind: type[Any], text: bytes) -> Any:
    if not text and kind is Nothing:
        return NOTHING
    try:
        pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True, max_num_fields=QUERY_FIELDS_MOST)
    except ValueError as error:
        raise InvalidRequest(f"the query cannot be read: {error}") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise InvalidRequest("the query names a field twice")
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid("the query", error) from None


def invalid(what: str, error: msgspec.ValidationError) -> InvalidRequest:
    """msgspec's complaint (`Expected `int`, got `str` - at `$.upTo[...]``) as a refusal that names the place."""
    fault, _, place = str(error).partition(" - at `")
    path = place.rstrip("`") or "$"
    return InvalidRequest(f"{what} is not valid at {path}: {fault}", details={"path": path})
