"""Styles that were read once, kept in a file: to read them anew takes as long as a fifteenth of a client's start.

What is kept is what Textual's own parser made of each source, by the source itself. So a changed source is read anew;
and all of it is, where the theme or Textual is another, or the file is not what was written.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from textual.css import _styles_builder, model, parse, scalar, styles
from textual.css.stylesheet import Stylesheet

from tui_chat.files import write_private

_log = logging.getLogger(__name__)

_READ_BY: Final = (parse, model, styles, _styles_builder, scalar)
"""Whose work is kept: where one of these is another file, nothing that was kept counts."""
_HOLDS: Final = frozenset(
    {
        *(
            ("textual.css.model", name)
            for name in ("RuleSet", "SelectorSet", "Selector", "CombinatorType", "SelectorType")
        ),
        *(("textual.css.model", f"_check_{kind}") for kind in ("type", "id", "class", "universal")),
        *(("textual.css.styles", name) for name in ("Styles",)),
        *(("textual.css.scalar", name) for name in ("Scalar", "ScalarOffset", "Unit")),
        *(("textual.geometry", name) for name in ("Spacing", "Offset", "Size", "Region")),
        ("textual.color", "Color"),
        *((f"textual.layouts.{name}", f"{name.capitalize()}Layout") for name in ("vertical", "horizontal", "grid")),
        ("functools", "partial"),
    }
)
"""All that styles consist of. A file that names anything else is none of ours, and nothing of it is made."""
_DIGEST: Final = 32
"""Bytes at its head: what it was made from, and what stands behind them."""


class KeptStyles:
    """One app's."""

    def __init__(self, file: Path, stylesheet: Stylesheet) -> None:
        """Give the stylesheet what the file has for it. To be made when the theme is set, before anything is read."""
        self._file = file
        self._made_from = _made_from(stylesheet)
        self._known = _read(file, self._made_from)
        self._shown = self._known
        for source, rules in self._known.items():
            stylesheet._parse_cache[source] = rules

    def painted(self, stylesheet: Stylesheet) -> None:
        """All that the first frame shows is read by now: that is what is worth keeping."""
        self._shown = {source: stylesheet._parse_cache[source] for source in list(stylesheet._parse_cache.keys())}

    def keep(self) -> None:
        """Write it, unless it is in the file. May take a while; where it cannot be written, the next start goes without
        it."""
        if self._shown.keys() <= self._known.keys():
            return
        held = pickle.dumps(self._shown, pickle.HIGHEST_PROTOCOL)
        try:
            write_private(self._file, _digest(self._made_from, held) + held, durable=False)
        except OSError as error:
            _log.debug("styles cannot be kept: %s", error)


def _read(file: Path, made_from: bytes) -> dict[Any, Any]:
    """By source; nothing where the file is missing, or was made from something else."""
    try:
        content = file.read_bytes()
        held = memoryview(content)[_DIGEST:]
        if content[:_DIGEST] != _digest(made_from, held):
            return {}
        found = _Reader(io.BytesIO(held)).load()
    except (OSError, pickle.UnpicklingError) as error:
        _log.debug("no styles are kept: %s", error)
        return {}
    assert isinstance(found, dict), "nobody else could write that digest"
    return found


def _made_from(stylesheet: Stylesheet) -> bytes:
    """The theme's colours, and who reads styles: told apart as Python tells whether a module was compiled before."""
    readers = [
        (path, os.stat(path).st_mtime_ns, os.stat(path).st_size)
        for path in (module.__file__ for module in _READ_BY)
        if path is not None
    ]
    return repr((sys.version, readers, sorted(stylesheet._variables.items()))).encode()


def _digest(made_from: bytes, held: bytes | memoryview) -> bytes:
    digest = sha256(made_from)
    digest.update(held)
    return digest.digest()


class _Reader(pickle.Unpickler):
    """Makes what styles consist of, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Textual's class. Raises UnpicklingError for everybody else's."""
        if (module, name) == ("builtins", "getattr"):
            return _getter
        if (module, name) not in _HOLDS:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a style")
        return super().find_class(module, name)


def _getter(rules: Any, name: str) -> Any:
    """What is kept beside what it is a method of: each Styles has these of its own dictionary of rules."""
    if type(rules) is not dict or name not in ("get", "__contains__"):
        raise pickle.UnpicklingError(f"{name} of a {type(rules).__name__} is no part of a style")
    return getattr(rules, name)
