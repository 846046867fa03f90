"""Each library has one house: what may be imported where, read from the source."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "tui_chat"

ONLY_HERE = {
    "textual": ["tui/"],
    "tinydb": ["cache/"],
    "httpx": ["client/api.py"],
    "websockets": ["client/stream.py"],
    "uvicorn": ["server/"],
    "argon2": ["server/"],
    "sqlite3": ["server/engines/"],
    "psycopg": ["server/engines/postgres", "server/bus/postgres.py"],
    "nats": ["server/bus/nats.py"],
}


def imported(path: Path) -> set[str]:
    """Top-level names of everything that the file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("library", ONLY_HERE)
def test_a_library_is_imported_in_its_house_only(library: str) -> None:
    users = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if library in imported(path)]
    assert users, f"nothing imports {library}: drop it here and from the dependencies"
    assert [user for user in users if not user.startswith(tuple(ONLY_HERE[library]))] == []


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("__init__.py")
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []
