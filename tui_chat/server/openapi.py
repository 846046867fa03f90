"""openapi.json (3.1), made from the route table and the structs, so that it cannot say anything else than they do."""

import re
from typing import Any

import msgspec

from tui_chat import __version__
from tui_chat.protocol import events
from tui_chat.protocol.errors import (
    BodyTooLarge,
    ChatError,
    ErrorAnswer,
    Internal,
    InvalidRequest,
    StorageFull,
    TooFrequent,
    Unauthorized,
    Unavailable,
)

from .routes import ENDPOINTS
from .routes.endpoint import LINES, Counted, Endpoint, Nothing

_REFERENCE = "#/components/schemas/{name}"
_FRAMES = (events.EventRange, events.Ephemeral, events.Welcome, events.Ping, events.Reset, *events.ClientFrame.__args__)
_ALWAYS: tuple[type[ChatError], ...] = (InvalidRequest, Internal, Unavailable, StorageFull)


def describe() -> dict[str, Any]:
    """The whole description."""
    kinds: list[Any] = [ErrorAnswer, events.KnownEvent, *_FRAMES]
    for endpoint in ENDPOINTS:
        kinds += [endpoint.answer, *([endpoint.body] if endpoint.takes_body else [])]
    _, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tui-chat",
            "version": __version__,
            "description": "Commands over HTTP; events over the WebSocket at GET /v1/stream, whose frames are the "
            "schemas Hello, Typing and Pong (from the client), Welcome, EventRange, Ephemeral, Ping and Reset.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint[Any, Any, Any]) -> dict[str, Any]:
    words = (endpoint.handler.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.handler.__module__.rpartition('.')[2]}_{endpoint.handler.__name__}",
        "summary": " ".join(words.split()),
        "responses": {
            "200": {"description": "Done.", "content": _answer(endpoint)},
            **_refusals(endpoint),
        },
    }
    if parameters := [*_path_parameters(endpoint.path), *_query_parameters(endpoint.query)]:
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
    by_status: dict[int, list[str]] = {}
    for kind in sorted(kinds, key=lambda kind: kind.code):
        by_status.setdefault(kind.status, []).append(kind.code)
    return {
        str(status): {"description": ", ".join(codes), "content": _content(ErrorAnswer)}
        for status, codes in sorted(by_status.items())
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(query: type[Any]) -> list[dict[str, Any]]:
    if query is Nothing:
        return []
    _, components = msgspec.json.schema_components([query], ref_template=_REFERENCE)
    schema = components[query.__name__]
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": field}
        for name, field in schema["properties"].items()
    ]
