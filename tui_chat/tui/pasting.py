"""What is pasted is text: nothing in it acts as a key.

Between the marks of a bracketed paste Textual's parser still takes ESC for the beginning of a key. Most terminals leave
control characters out of what they paste; tmux and screen do not, and there a text could press keys: send itself, or
leave the program. So they are taken out before the parser sees them.
"""

import os
import selectors
from codecs import getincrementaldecoder
from collections.abc import Iterable
from typing import Final

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

BEGIN: Final = "\x1b[200~"
END: Final = "\x1b[201~"
READ_MOST: Final = 4_096
LOOK_AFTER: Final = 0.1
"""Seconds after which a lone ESC is taken for the key, and the thread looks whether it is to end, as Textual's."""
_CONTROLS: Final = {code: None for code in (*range(0x20), 0x7F, *range(0x80, 0xA0)) if chr(code) not in "\t\n\r"}


class PasteParser(XTermParser):
    """Textual's, which is given no control characters between the marks of a paste but tabs and line ends."""

    def __init__(self, debug: bool = False) -> None:
        self._in_paste = False
        self._begun = ""
        """The end of what was fed last, outside of a paste: its mark may have begun in it."""
        self._held = ""
        """The end of what was fed last, within a paste: what may be the begin of its end."""
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        """Textual: what was read. An empty text says that nothing more comes."""
        harmless = self._harmless(data)
        return super().feed(harmless) if harmless or not data else ()

    def _harmless(self, data: str) -> str:
        parts: list[str] = []
        while data:
            data = self._within(data, parts) if self._in_paste else self._outside(data, parts)
        return "".join(parts)

    def _outside(self, data: str, parts: list[str]) -> str:
        """Up to the mark where a paste begins; returns what comes after it."""
        seen = self._begun + data
        at = seen.find(BEGIN)
        if at < 0:
            self._begun = seen[1 - len(BEGIN) :]
            parts.append(data)
            return ""
        begin = at + len(BEGIN) - len(self._begun)
        self._begun, self._in_paste = "", True
        parts.append(data[:begin])
        return data[begin:]

    def _within(self, data: str, parts: list[str]) -> str:
        """Up to the mark where the paste ends; returns what comes after it."""
        data, self._held = self._held + data, ""
        pasted, mark, after = data.partition(END)
        if not mark:
            cut = next((cut for cut in range(len(END) - 1, 0, -1) if data.endswith(END[:cut])), 0)
            pasted, self._held = data[: len(data) - cut], END[:cut]
        parts.append(pasted.translate(_CONTROLS) + mark)
        self._in_paste = not mark
        return after


class PasteDriver(LinuxDriver):
    """Textual's, with that parser; what is no UTF-8 is typed as a sign for it, and does not end the program. A terminal
    that is gone does: Textual would look again and again whether something can be read, and be told so each time."""

    def run_input_thread(self) -> None:
        """Textual: read until the program ends or gives the terminal away. Its own has the parser in it by name."""
        parser = PasteParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                for _ready in selector.select(LOOK_AFTER):
                    if not (found := self._read()):
                        self._loop.call_soon_threadsafe(self._app.exit)
                        return
                    if text := decode(found):
                        self._tell(parser.feed(text))
                self._tell(parser.tick())

    def _read(self) -> bytes:
        """What was typed; nothing where the terminal is gone."""
        try:
            return os.read(self.fileno, READ_MOST)
        except OSError:
            return b""

    def _tell(self, events: Iterable[Message]) -> None:
        for event in events:
            self.process_message(event)
