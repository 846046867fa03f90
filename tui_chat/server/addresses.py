"""Which application answers at which address. A look into a few dictionaries, whatever the number of addresses: to
compare them one after the other, as routers do, costs each request as much as reading its JSON."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar
from urllib.parse import unquote

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
"""The four of ASGI 3.0 (https://asgi.readthedocs.io/en/latest/specs/main.html)."""

T = TypeVar("T")

PATHS_REMEMBERED: Final = 1_024
"""Whoever writes into a conversation writes there again."""
REMEMBERED_MOST: Final = 256
"""Characters of a path that is remembered."""


class _Place(Generic[T]):
    """What begins with the segments that lead here."""

    __slots__ = ("any", "application", "named", "parameters")

    def __init__(self) -> None:
        self.named: dict[str, _Place[T]] = {}
        self.any: _Place[T] | None = None
        """Behind a segment that is a parameter."""
        self.application: T | None = None
        self.parameters: list[str] = []


class Addresses(Generic[T]):
    """Patterns such as `/v1/groups/{group_id}`, each with what answers there."""

    def __init__(self) -> None:
        self._root = _Place[T]()
        self._lately = lru_cache(PATHS_REMEMBERED)(self._look_up)

    def add(self, pattern: str, application: T) -> None:
        """Let the application answer there."""
        place = self._root
        parameters = []
        for segment in pattern.split("/"):
            if segment.startswith("{"):
                parameters.append(segment.strip("{}"))
                place.any = place = place.any or _Place()
            else:
                place = place.named.setdefault(segment, _Place())
        place.application = application
        place.parameters = parameters
        self._lately.cache_clear()

    def find(self, path: str) -> tuple[T, Mapping[str, str]] | None:
        """The application at a path, still percent-encoded, and the path's parameters, decoded; a segment that is named
        comes before one that is a parameter, which is never empty."""
        return self._lately(path) if len(path) <= REMEMBERED_MOST else self._look_up(path)

    def _look_up(self, path: str) -> tuple[T, Mapping[str, str]] | None:
        # A conversationID may hold `#` and, misshapen, `/`: split first, decode afterwards.
        segments = path.split("/")
        values: list[str] = []
        place = self._root
        for segment in segments:
            following = place.named.get(segment)
            if following is None:
                following = place.any
                if following is None or not segment:
                    break
                values.append(segment)
            place = following
        else:
            if place.application is not None:
                return place.application, _named(place.parameters, values)
        # Only where a segment that is named leads nowhere, and one that is a parameter might.
        values.clear()
        found = _behind(self._root, segments, 0, values)
        if found is None or found.application is None:
            return None
        return found.application, _named(found.parameters, values)


def _behind(place: _Place[T], segments: list[str], at: int, values: list[str]) -> _Place[T] | None:
    """The place where these segments, from `at` on, lead; what stood for parameters is put into `values`."""
    if at == len(segments):
        return place if place.application is not None else None
    segment = segments[at]
    named = place.named.get(segment)
    if named is not None:
        found = _behind(named, segments, at + 1, values)
        if found is not None:
            return found
    if place.any is None or not segment:
        return None
    count = len(values)
    values.append(segment)
    found = _behind(place.any, segments, at + 1, values)
    if found is None:
        del values[count:]
    return found


def _named(parameters: list[str], values: list[str]) -> dict[str, str]:
    return {name: unquote(value) for name, value in zip(parameters, values, strict=True)}
