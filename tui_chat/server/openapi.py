"""openapi.json (3.1), made from the route table and the structs, so that it cannot say anything else than they do."""

from collections.abc import Iterable
from inspect import cleandoc
from typing import Any

import msgspec

from tui_chat import __version__
from tui_chat.protocol import events
from tui_chat.protocol.errors import (
    ERRORS,
    BodyTooLarge,
    ChatError,
    ErrorAnswer,
    Forbidden,
    Internal,
    InvalidRequest,
    NotConnected,
    NotFound,
    ServerRestored,
    StorageFull,
    TooFrequent,
    Unauthorized,
    Unavailable,
    Unexpected,
)
from tui_chat.protocol.wire import SEEN_AT

from .routes import ENDPOINTS
from .routes.endpoint import LINES, Counted, Endpoint, Nothing
from .vocabulary import EVERYWHERE, path_parameters, refine

_REFERENCE = "#/components/schemas/{name}"
_FRAMES = (events.EventRange, events.Ephemeral, events.Welcome, events.Ping, events.Reset, *events.ClientFrame.__args__)
_ALWAYS: tuple[type[ChatError], ...] = (InvalidRequest, Forbidden, Internal, Unavailable, StorageFull)
"""Forbidden: whatever carries the `Origin` of a web page that is not on the list."""
_SEEN_AT: dict[str, Any] = {
    "name": SEEN_AT,
    "in": "header",
    "required": False,
    "description": "The cursor of the state that whoever decided on this had before them. Where the server was "
    "restored from a backup since, the messageSeqs of this call may stand for other messages: it is refused, and "
    "nothing is changed.",
    "schema": EVERYWHERE["cursor"],
}
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_BESIDE: dict[str, dict[str, Any]] = {
    "/v1/stream": {
        "get": {
            "operationId": "stream",
            "summary": "The event socket; a request that asks for no WebSocket finds nothing here.",
            "tags": ["sync"],
            "security": [{"token": []}],
            "responses": {"101": {"description": "The socket is open."}},
        }
    },
    "/metrics": {
        "get": {
            "operationId": "metrics",
            "summary": "Numbers for Prometheus: for requests from the server's own machine, or with the metrics token.",
            "tags": ["system"],
            "security": [{}, {"metrics": []}],
            "responses": {"200": {"description": "Done.", "content": {"text/plain": _TEXT}}},
        }
    },
    "/openapi.json": {
        "get": {
            "operationId": "openapi",
            "summary": "This description.",
            "tags": ["system"],
            "responses": {
                "200": {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}}
            },
        }
    },
}
"""What is answered beside the table of endpoints."""
_BEFORE: tuple[type[ChatError], ...] = (InvalidRequest, Forbidden, Unavailable)
"""With what every request may be refused before it gets to its address."""
_BESIDE_REFUSED: dict[str, tuple[type[ChatError], ...]] = {
    "/v1/stream": (*_BEFORE, Unauthorized, NotFound, TooFrequent),
    "/metrics": (*_BEFORE, Unauthorized, TooFrequent, Internal),
    "/openapi.json": _BEFORE,
}
_CODES = sorted(ERRORS.keys() - {NotConnected.code, Unexpected.code})
"""Of all errors but those that a client makes for itself."""


def describe() -> dict[str, Any]:
    """The whole description."""
    kinds: list[Any] = [ErrorAnswer, events.KnownEvent, *_FRAMES]
    for endpoint in ENDPOINTS:
        kinds += [endpoint.answer, *([endpoint.body] if endpoint.takes_body else [])]
    (_, event, *_rest), components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    for schema in components.values():
        refine(schema)
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
    for name in ("SyncAnswer", "EventRange"):
        components[name]["properties"]["events"]["items"] = event
    for name in ("ErrorBody", "ItemFailure"):
        components[name]["properties"]["code"] |= {"enum": _CODES, "description": "A later version may have others."}
    paths: dict[str, dict[str, Any]] = {
        path: {
            "get": operation["get"] | {"responses": operation["get"]["responses"] | _by_status(_BESIDE_REFUSED[path])}
        }
        for path, operation in _BESIDE.items()
    }
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tui-chat",
            "version": __version__,
            "description": "Commands over HTTP; events over the WebSocket at GET /v1/stream, whose frames are the "
            "schemas Hello, Typing and Pong (from the client), Welcome, EventRange, Ephemeral, Ping and Reset. "
            "Any other method is answered with 405, any other address with 404, and everything with 503 while the "
            "server stops.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": _answers(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The accessToken of register, login or token/refresh.",
                },
                "metrics": {"type": "http", "scheme": "bearer", "description": "The token that the operator chose."},
            },
        },
    }


def _operation(endpoint: Endpoint[Any, Any, Any]) -> dict[str, Any]:
    words = (endpoint.handler.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.handler.__module__.rpartition('.')[2]}_{endpoint.handler.__name__}",
        "summary": " ".join(words.split()),
        "tags": [endpoint.handler.__module__.rpartition(".")[2]],
        "responses": {
            "200": {"description": "Done.", "content": _answer(endpoint)},
            **_refusals(endpoint),
        },
    }
    seen_at = [_SEEN_AT] if endpoint.numbered else []
    if parameters := [*path_parameters(endpoint.path), *_query_parameters(endpoint.query), *seen_at]:
        operation["parameters"] = parameters
    if endpoint.takes_body:
        operation["requestBody"] = {"required": True, "content": _content(endpoint.body)}
    if not endpoint.anyone:
        operation["security"] = [{"token": []}]
    return operation


def _answer(endpoint: Endpoint[Any, Any, Any]) -> dict[str, Any]:
    if not endpoint.lines:
        return _content(endpoint.answer)
    (schema,), _ = msgspec.json.schema_components([endpoint.answer], ref_template=_REFERENCE)
    return {LINES: {"schema": schema}}


def _content(kind: type[Any]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=kind.__name__)}}}


def _refusals(endpoint: Endpoint[Any, Any, Any]) -> dict[str, Any]:
    kinds = {*_ALWAYS, *endpoint.errors}
    if not endpoint.anyone:
        kinds.add(Unauthorized)
    if endpoint.counted is not Counted.NOT:
        kinds.add(TooFrequent)
    if endpoint.takes_body:
        kinds.add(BodyTooLarge)
    if endpoint.numbered:
        kinds.add(ServerRestored)
    return _by_status(kinds)


def _by_status(kinds: Iterable[type[ChatError]]) -> dict[str, Any]:
    """The refusals of these kinds, as OpenAPI has them."""
    by_status: dict[int, list[str]] = {}
    for kind in sorted(kinds, key=lambda kind: kind.code):
        by_status.setdefault(kind.status, []).append(kind.code)
    return {
        str(status): {"$ref": f"#/components/responses/{_kind(status)}", "description": ", ".join(codes)}
        for status, codes in sorted(by_status.items())
    }


def _kind(status: int) -> str:
    """Which of `_answers` a refusal is."""
    return {401: "Unauthorized", 429: "Later", 503: "Later"}.get(status, "Refused")


def _answers() -> dict[str, Any]:
    """What refusals look like; their codes stand with each endpoint."""
    later = {"description": "Seconds after which the same call may go through.", "schema": {"type": "integer"}}
    scheme = {"description": "How to say who asks.", "schema": {"type": "string", "const": "Bearer"}}
    refused = {"description": "Refused.", "content": _content(ErrorAnswer)}
    return {
        "Refused": refused,
        "Later": refused | {"headers": {"Retry-After": later}},
        "Unauthorized": refused | {"headers": {"WWW-Authenticate": scheme}},
    }


def _query_parameters(query: type[Any]) -> list[dict[str, Any]]:
    if query is Nothing:
        return []
    _, components = msgspec.json.schema_components([query], ref_template=_REFERENCE)
    schema = components[query.__name__]
    refine(schema)
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": field}
        for name, field in schema["properties"].items()
    ]
