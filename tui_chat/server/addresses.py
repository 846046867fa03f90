"""Which application answers at which address. A look into a few dictionaries, whatever the number of addresses: to
compare them one after the other, as routers do, costs each request as much as reading its JSON."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Generic, TypeVar

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
"""The four of ASGI 3.0 (https://asgi.readthedocs.io/en/latest/specs/main.html)."""

T = TypeVar("T")


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

    def find(self, path: str) -> tuple[T, dict[str, str]] | None:
        """The application at a path, still percent-encoded, and the path's parameters; a segment that is named comes
        before one that is a parameter, which is never empty."""
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
                return place.application, dict(zip(place.parameters, values, strict=True))
        # Only where a segment that is named leads nowhere, and one that is a parameter might.
        values.clear()
        found = _behind(self._root, segments, 0, values)
        if found is None or found.application is None:
            return None
        return found.application, dict(zip(found.parameters, values, strict=True))


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
