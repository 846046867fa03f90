"""One device's deletions: ask, carry out, say what came of it, retry, undo."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from tui_chat.client.changes import Connection
from tui_chat.locale import _
from tui_chat.protocol.errors import ServerRestored
from tui_chat.protocol.ids import ConversationType, new_identifier
from tui_chat.protocol.models import Conversation
from tui_chat.tui.refusals import refusal
from tui_chat.tui.safe import fill, own
from tui_chat.tui.screens import sentences
from tui_chat.tui.screens.coach import Did

if TYPE_CHECKING:
    from tui_chat.client.results import DeletedConversations
    from tui_chat.tui.dialogs.confirm_delete import ConfirmDelete, Confirmed
    from tui_chat.tui.dialogs.delete_facts import DeleteFacts

    from .device_pane import DevicePane

PROGRESS_ABOVE: Final = 100
"""Longer deletions show how far they are."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A deletion that is being carried out."""

    batch_id: str
    total: int
    started: float
    """By the app's stopwatch, in seconds."""
    stop: asyncio.Event
    ended: asyncio.Event
    """Set when it is over, stopped or not."""
    done: int = 0


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """A deletion confirmed in this window, for the other device in it."""

    started: float
    """By the app's stopwatch, in seconds."""
    origin: DevicePane
    person: Conversation | None


class _Failed(msgspec.Struct, frozen=True):
    up_to: int
    clear_history: bool
    numbering: int
    """Of the session, when `up_to` was on the screen."""


class Deleter:
    """What `d`, `R` and `u` do on one device's list."""

    def __init__(self, pane: DevicePane) -> None:
        self._pane = pane
        self._failed: dict[str, _Failed] = {}
        self._confirmed: dict[str, int] = {}
        """conversationID -> how far it was deleted from here, by messageSeq."""
        self._seen: dict[str, Conversation] = {}
        """The rows as they were when the question came up: what arrives after that was not on the person's mind."""
        self._undoing = asyncio.Lock()
        self.dialog: ConfirmDelete | None = None
        """The question that is open."""
        self.run: Run | None = None

    def ask(self) -> None:
        """Ask about what is marked, or the row under the cursor."""
        ids = self._pane.list.targets
        if self.run is not None:
            app = self._pane.app
            app.say(fill(_("Still deleting: {key} stops it"), key=app.key("back")), severity="warning")
        elif ids and self.dialog is None:
            self._pane.app.start(self._ask(ids, clear_history=self._pane.app.settings.delete.clear_history))

    @property
    def can_retry(self) -> bool:
        """Whether anything failed that still stands there."""
        return bool(self._failed) and not self._pane.list.failed.isdisjoint(self._failed)

    def retry(self) -> None:
        """Delete again what failed, as it was confirmed; ask anew where the server was restored since."""
        failed = {one: self._failed[one] for one in self._pane.list.failed if one in self._failed}
        if failed and self.run is None and self.dialog is None:
            self._pane.list.clear_failed()
            self._pane.app.clear_notifications()  # that some failed is over
            self._pane.app.start(self._retry(failed))

    async def _retry(self, failed: Mapping[str, _Failed]) -> None:
        numbering = self._pane.session.numbering
        decided = {one: it for one, it in failed.items() if it.numbering == numbering}
        for clear in (True, False):
            chosen = {one: it.up_to for one, it in decided.items() if it.clear_history is clear}
            if chosen:
                await self._delete(chosen, clear_history=clear)
        others = {one: it for one, it in failed.items() if one not in decided}
        if others:  # What stands there now nobody has looked at.
            await self._ask(list(others), clear_history=all(it.clear_history for it in others.values()))

    def renumbered(self) -> None:
        """The server was restored from a backup: the question that is open is about other messages."""
        self._confirmed.clear()
        if self.dialog is not None:
            self.dialog.dismiss(None)

    def undo(self, batch_id: str | None = None) -> None:
        """Undo this batch, or the newest that can be undone."""
        self._pane.app.start(self.bring_back(batch_id))

    def did(self, conversation_id: str, through: int) -> bool:
        """Whether it was deleted from here as far as that messageSeq: otherwise it was somewhere else."""
        return self._confirmed.get(conversation_id, 0) >= through

    def stop(self) -> bool:
        """Stop what is left of a deletion. Returns whether one was running."""
        if self.run is None or self.run.stop.is_set():
            return False
        self.run.stop.set()
        return True

    def facts(self, ids: list[str]) -> DeleteFacts:
        """What is true of these conversations now."""
        from tui_chat.tui.dialogs.delete_facts import gather

        session = self._pane.session
        rows = session.conversations
        unsent = {one: len(session.pending_messages(one)) for one in ids} if session.queued else {}
        return gather(
            [rows[one] for one in ids if one in rows],
            seen=self._seen,
            listed=len(rows),
            drafts=self._pane.drafts,
            unsent=unsent,
            server=session.server,
            capabilities=session.capabilities,
            connected=session.connection is Connection.CONNECTED,
        )

    async def _ask(self, ids: list[str], *, clear_history: bool) -> None:
        from tui_chat.tui.dialogs.confirm_delete import ConfirmDelete

        pane = self._pane
        numbering = pane.session.numbering
        self._seen = {one: pane.session.conversations[one] for one in ids if one in pane.session.conversations}
        self.dialog = ConfirmDelete(ids, self.facts, clear_history=clear_history)
        pane.list.hold_order(True)
        try:
            confirmed: Confirmed | None = await pane.app.push_screen_wait(self.dialog)
        finally:
            self.dialog = None
            pane.list.hold_order(False)
        if pane.session.numbering != numbering:
            raise ServerRestored()
        if confirmed is None:
            return
        rows = pane.session.conversations
        up_to = {one: self._seen[one].newest_seq for one in confirmed.conversation_id_list if one in rows}
        if up_to:
            await self._delete(up_to, clear_history=confirmed.clear_history)

    async def _delete(self, up_to: Mapping[str, int], *, clear_history: bool) -> None:
        pane, app, ids = self._pane, self._pane.app, list(up_to)
        numbering = pane.session.numbering
        run = Run(
            batch_id=new_identifier(),
            total=len(ids),
            started=app.stopwatch(),
            stop=asyncio.Event(),
            ended=asyncio.Event(),
        )
        self.run = run
        app.confirmed(run.batch_id, Confirmation(started=run.started, origin=pane, person=self._person(ids)))
        self._confirmed |= up_to
        pane.expect(ids)
        pane.list.set_deleting(ids)
        self._progress(0, len(ids))
        try:
            result = await pane.session.delete_conversation(
                conversation_id_list=ids,
                clear_history_message=clear_history,
                up_to=up_to,
                batch_id=run.batch_id,
                progress=self._progress,
                stop=run.stop,
            )
        finally:
            self.run = None
            run.ended.set()
            pane.list.set_deleting(ids, False)
            # What waits in the queue is hidden as well, though no event has spoken of it yet.
            pane.list.remove_rows([one for one in ids if one not in pane.session.conversations])
            app.main.show_progress(None)
        bounds = {one: _Failed(bound, clear_history, numbering) for one, bound in up_to.items()}
        self._report(result, bounds)

    def _person(self, ids: list[str]) -> Conversation | None:
        """The first one-to-one conversation among them: for the tour, in which that person writes again."""
        rows = (self._pane.session.conversations.get(one) for one in ids)
        return next((row for row in rows if row is not None and row.type is ConversationType.C2C), None)

    def _progress(self, done: int, total: int) -> None:
        if self.run is None:
            return
        self.run = msgspec.structs.replace(self.run, done=done)
        if total > PROGRESS_ABOVE:
            self._pane.app.main.show_progress(self.run)

    def _report(self, result: DeletedConversations, bounds: Mapping[str, _Failed]) -> None:
        pane, app = self._pane, self._pane.app
        deleted = len(result.conversation_id_list)
        if result.stopped:
            app.say(sentences.stopped(deleted, len(result.stopped)), severity="warning")
        elif deleted and not (pane.second and result.synced):  # else the first device says it
            app.say(sentences.deleted(deleted, undo=app.key("undo") if result.undo_seconds else None))
        if result.queued:
            connected = pane.session.connection is Connection.CONNECTED
            said = sentences.queued(len(result.queued), undo=app.key("undo"), connected=connected)
            app.say(said, severity="warning")
        self._name_kept(result.kept)
        self._keep_marks(result)
        # What waits may be refused later, and stand there again.
        again = [*result.queued, *(failure.conversation_id for failure in result.failures)]
        self._failed |= {one: bounds[one] for one in again if one in bounds}
        if result.failures:
            pane.list.set_failed({failure.conversation_id: refusal(failure) for failure in result.failures})
            app.say(sentences.failed(len(result.failures), retry=app.key("retry")), severity="error")
        if deleted or result.queued:
            app.tour.sees(Did.DELETED)

    def _name_kept(self, kept: list[str]) -> None:
        for one in kept[:3]:
            row = self._pane.session.conversations.get(one)
            if row is not None and row.last_message is not None:
                last = row.last_message
                direct = row.type is ConversationType.C2C
                self._pane.app.say(sentences.kept(last.nick or last.sender, row.name, direct=direct))

    def _keep_marks(self, result: DeletedConversations) -> None:
        """What was kept for a newer message was dealt with: its row stays, its mark goes."""
        marks = self._pane.list.marks
        if marks.isdisjoint(result.kept):
            return
        self._pane.list.clear_marks()
        self._pane.list.mark(marks.difference(result.kept))

    async def bring_back(self, batch_id: str | None) -> None:
        """Undo and say so. Raises ChatError where it is refused."""
        pane, app = self._pane, self._pane.app
        async with self._undoing:
            await self._stopped(batch_id)
            if batch_id is None and not await self._any_to_undo():
                app.say(own(_("Nothing to undo")))
                return
            result = await pane.session.undo(batch_id)
        app.clear_notifications()
        app.say(
            own(_("Offline: the undo waits in the queue"))
            if result.queued
            else sentences.restored(len(result.conversation_id_list), None)
        )
        app.tour.sees(Did.UNDONE)

    async def _stopped(self, batch_id: str | None) -> None:
        """What runs is not undone under way: it is stopped first, and has ended then."""
        if self.run is not None and batch_id in (None, self.run.batch_id):
            run = self.run
            run.stop.set()
            await run.ended.wait()

    async def _any_to_undo(self) -> bool:
        """Whether anything can be undone; a deletion that this device was not told of (sync is off) is in the log."""
        session = self._pane.session
        if not session.undoable and session.connection is Connection.CONNECTED:
            await session.deletions()
        return bool(session.undoable)
