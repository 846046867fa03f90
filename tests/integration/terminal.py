"""A program on a real terminal: what it draws is read from an emulated screen, keys go in as bytes."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pexpect
import pyte

KEYS = {"Escape": "\x1b", "Enter": "\r", "F2": "\x1bOQ", "Ctrl+Q": "\x11", "Space": " "}
DEADLINE_SECONDS = 30.0


class Terminal:
    """`python -m tui_chat …`, or another program, on a pty of a given size, with directories of its own."""

    def __init__(
        self,
        home: Path,
        *words: str,
        columns: int = 120,
        lines: int = 36,
        program: Sequence[str] = ("-m", "tui_chat"),
        **environment: str,
    ) -> None:
        """`program` is what Python runs; the words are for it."""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        directories = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CONFIG", "CACHE", "STATE")}
        # Whoever runs the tests may have exported LINES and COLUMNS, which programs believe before they ask the pty.
        dropped = ("LC_", "LANG", "XDG_", "LINES", "COLUMNS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        self.child: Any = pexpect.spawn(
            sys.executable,
            [*program, *words],
            env={**kept, **directories, "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": str(home), **environment},
            dimensions=(lines, columns),
            timeout=DEADLINE_SECONDS,
        )
        self.written = b""
        """Every byte that came out."""
        self.started = time.monotonic()

    @property
    def text(self) -> str:
        """The screen, line by line."""
        return "\n".join(self._screen.display)

    def read(self, seconds: float = 0.05) -> None:
        """Take in what the program draws within `seconds`."""
        try:
            written = self.child.read_nonblocking(65536, seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
        self.written += written
        self._stream.feed(written)

    def until(self, true: Callable[[str], bool]) -> float:
        """Read on until something is true of the screen; seconds since the program was started."""
        end = time.monotonic() + DEADLINE_SECONDS
        while not true(self.text):
            assert time.monotonic() < end, f"the screen does not come to that:\n{self.text}"
            assert self.child.isalive() or true(self.text), f"the program has ended:\n{self.text}"
            self.read()
        return time.monotonic() - self.started

    def see(self, words: str) -> float:
        """Read on until the words stand on the screen; seconds since the program was started."""
        return self.until(lambda text: words in text)

    def lose(self, words: str) -> None:
        """Read on until the words no longer stand there."""
        self.until(lambda text: words not in text)

    def press(self, *keys: str) -> None:
        """Press keys: a name of KEYS, else as written."""
        for key in keys:
            self.child.send(KEYS.get(key, key))
            self.read(0.1)

    def ended(self) -> int | None:
        """Read on to the end of the program; its exit status."""
        end = time.monotonic() + DEADLINE_SECONDS
        while self.child.isalive():
            assert time.monotonic() < end, f"the program does not end:\n{self.text}"
            self.read()
        status: int | None = self.child.exitstatus
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.close(force=True)
