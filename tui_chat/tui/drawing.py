"""When a screen draws: at once, and one frame for what belongs together.

Textual draws sixty times a second, which puts the answer to a key off by as much as two of those; and it learns of what
has changed by messages, each of which waits its turn.
"""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from textual import events
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen, ScreenResultType
from textual.widget import Widget

from .compositing import NarrowCompositor

FRAME: Final = 1 / 120
"""Seconds from one frame to the next at least."""
KEY_FRAME: Final = 1 / 250
"""The same where a key asks for it: one pressed while another's frame is still warm is not put off for that."""
SETTLE: Final = 0.001
"""Seconds in which what was changed by messages comes together, such as the list and the status line."""
SWITCH: Final = 0.0005
"""Seconds after which Python lets the thread that writes to the terminal run: a frame that is made does not wait for
what the screen does after it."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """While a key is answered no garbage is looked for: that is a millisecond or two most times, and fifty at worst."""
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked:
            gc.enable()


class PromptScreen(Screen[ScreenResultType]):
    """Draws as soon as everything is said that is to be drawn, or when it is told that this is so."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """Textual's, which has the whole screen painted anew: what looks different with the focus paints itself."""

    _drawing: asyncio.TimerHandle | None = None
    _drawn = 0.0
    """When the last frame was, by the loop's time."""
    _laying_out = False

    def __init__(self) -> None:
        super().__init__()
        self._compositor = NarrowCompositor()

    def draw_at_once(self) -> None:
        """All that one key changes is changed: draw it without waiting for the messages that tell of it."""
        self._gather()
        if not self._waits_to_be_drawn:
            return
        loop = asyncio.get_running_loop()
        if self._drawing is not None:
            self._drawing.cancel()
            self._drawing = None
        if loop.time() >= self._drawn + KEY_FRAME:
            with self._context():
                self._draw()
        else:
            self._drawing = loop.call_at(self._drawn + KEY_FRAME, self._draw)

    def focus_at_once(self, widget: Widget) -> None:
        """Give a widget the focus, and the look of it as well: Textual has both widgets learn of it by messages, after
        the frame that `draw_at_once` draws. One that is shown no more has time for that."""
        before = self.focused
        self.set_focus(widget)
        if before is not None and before is not widget and _is_shown(before):
            before.has_focus = False
        widget.has_focus = self.focused is widget

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """Textual: it is on top, or again. It is laid out and then painted; not painted for each. The first time
        all its styles were worked out a moment ago."""
        event.prevent_default()
        event.refresh_styles = event.refresh_styles and self._drawn > 0
        self._laying_out = True
        try:
            super()._on_screen_resume(event)
        finally:
            self._laying_out = False

    def _screen_resized(self, size: Size) -> None:
        """Textual: the terminal's size, which before the first frame is told three times over."""
        if size != self._size or self._drawn > 0:
            super()._screen_resized(size)

    async def _on_idle(self, event: events.Idle) -> None:
        """Textual: everything is said that is to be drawn."""
        if not self._waits_to_be_drawn:
            return
        event.prevent_default()
        if self._drawing is None:
            loop = asyncio.get_running_loop()
            self._drawing = loop.call_at(max(loop.time() + SETTLE, self._drawn + FRAME), self._draw)

    @property
    def _waits_to_be_drawn(self) -> bool:
        changed = self._layout_required or self._scroll_required or self._repaint_required or self._dirty_widgets
        return bool(changed) and self.is_current and not self.app._batch_count

    def _draw(self) -> None:
        self._drawing = None
        if self.is_running:
            self._gather()
            self._on_timer_update()
            self._drawn = asyncio.get_running_loop().time()

    def _gather(self) -> None:
        """Take what wants to be painted now: the message that asks for it would come after this frame."""
        visible = [widget for widget in self._compositor.visible_widgets if widget is not self]
        for widget in visible:
            if widget._refresh_styles_required or widget._scroll_required:
                continue
            if widget._layout_required:
                self._take_layout(widget)
            if widget._repaint_required:
                widget._repaint_required = False
                self._dirty_widgets.add(widget)
        if self._repaint_required:
            for widget in visible:
                widget._exchange_repaint_regions()  # all of it is painted

    def _take_layout(self, widget: Widget) -> None:
        """As Textual does when the message comes that a widget's insides are to be laid out."""
        widget._layout_required = False
        for ancestor in widget.ancestors:
            if not isinstance(ancestor, Widget):
                break
            ancestor._clear_arrangement_cache()
            ancestor._layout_updates += 1
            if not ancestor.styles.auto_dimensions:
                break
        self._layout_required = True
        self._scroll_required = False

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        """Textual: find out where everything stands, and paint what that changes. Where all of it is painted right
        after, it is not painted twice."""
        before = self._laying_out
        self._laying_out = before or self._repaint_required
        try:
            super()._refresh_layout(size, scroll)
        finally:
            self._laying_out = before

    def _compositor_refresh(self) -> None:
        if self._laying_out:
            return
        if self.is_active:
            super()._compositor_refresh()
        elif regions := self._compositor._dirty_regions.copy():
            # What lies above shows it, and paints it. Textual has all of it painted again at each message from then on.
            self._compositor._dirty_regions.clear()
            self._dirty_widgets.clear()
            self.app.screen.refresh(*regions)


def _is_shown(widget: Widget) -> bool:
    """Whether neither it nor what it stands in is hidden."""
    return all(node.display for node in widget.ancestors_with_self)
