"""The catalogue's upkeep: gather every text of the program, bring the .po up to date, compile the .mo.

python -m tests.locale.catalogue          says what is still to be translated; its exit code is 1 then
"""

import ast
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tui_chat.protocol.errors import ERRORS

PACKAGE = Path(__file__).parents[2] / "tui_chat"
LANGUAGE = "zh_CN"
PO = PACKAGE / "locale" / LANGUAGE / "LC_MESSAGES" / "tui_chat.po"
MO = PO.with_suffix(".mo")

KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
PROGRAMS_FAULTS = {"InvalidRequest", "MethodNotAllowed", "Unexpected"}
"""Refusals of what no person can cause; their own words are for programmers, the general ones are translated."""
NO_TIME = datetime(2026, 1, 1, tzinfo=UTC)
"""In place of when it was made: the same texts give the same file."""


class Text(NamedTuple):
    """One message of the program."""

    file: str
    id: str | tuple[str, str]


def texts() -> Iterator[Text]:
    """Every text that a person may read, with the file that has it."""
    for file, _line, message, _comments, _context in extract_from_dir(
        PACKAGE, method_map=[("**.py", "python")], keywords=KEYWORDS
    ):
        yield Text(file, message if isinstance(message, str) else (message[0], message[1]))
    yield from _refusals()


def _refusals() -> Iterator[Text]:
    """What is shown of errors: each kind's first line, and the literal words that the code raises one with.

    Servers answer in English; the screen and the plain commands translate it by these words (tui/refusals.py). What the
    plain commands raise themselves is translated already.
    """
    kinds = {kind.__name__: kind for kind in ERRORS.values()}
    for kind in kinds.values():
        yield Text("protocol/errors.py", str(kind()))
    for path in sorted(one for one in PACKAGE.rglob("*.py") if one.parent.name != "cli"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(words)), *_]
                ) if name in kinds and name not in PROGRAMS_FAULTS:
                    yield Text(path.relative_to(PACKAGE).as_posix(), words)


def template() -> Catalog:
    """The texts, untranslated."""
    found = Catalog(project="tui-chat", version="", charset="utf-8", creation_date=NO_TIME)
    for text in sorted(set(texts()), key=lambda text: (text.file, str(text.id))):
        found.add(text.id, locations=[(text.file, 0)])
    return found


def stored() -> Catalog:
    """The catalogue as it is kept."""
    with PO.open("rb") as file:
        return read_po(file, locale=LANGUAGE)


def updated(catalogue: Catalog) -> Catalog:
    """The catalogue with exactly the texts of the program; no translation is guessed from a similar text."""
    catalogue.update(template(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.project, catalogue.version = "tui-chat", ""
    catalogue.creation_date = catalogue.revision_date = NO_TIME
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = ""
    catalogue.fuzzy = False
    catalogue.header_comment = "# Simplified Chinese of tui-chat. `python -m tests.locale.catalogue` keeps it in step."
    return catalogue


def as_po(catalogue: Catalog) -> bytes:
    """The file that people edit."""
    file = io.BytesIO()
    write_po(file, catalogue, width=116, include_lineno=False, ignore_obsolete=True)
    return file.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """The file that the program reads."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def missing(catalogue: Catalog) -> list[str]:
    """Texts without a translation."""
    return [str(message.id) for message in catalogue if message.id and not _forms(message.string)]


def _forms(string: object) -> bool:
    return all(string) if isinstance(string, (tuple, list)) else bool(string)


def main() -> int:
    """Write both files."""
    catalogue = updated(stored() if PO.exists() else Catalog(locale=LANGUAGE))
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(as_po(catalogue))
    MO.write_bytes(compiled(catalogue))
    lacking = missing(catalogue)
    for text in lacking:
        print(f"not translated: {text}")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
