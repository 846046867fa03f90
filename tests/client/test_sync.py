"""The rules of synchronisation, each as somebody relies on it."""

from collections.abc import Mapping, Sequence
from typing import get_args

import msgspec
import pytest

from tests.client.making import MINE, OTHER, arrived, deleted, message, ranged, restored, row, watermark
from tui_chat.client import effects, sync
from tui_chat.client.cursors import position_of
from tui_chat.client.entries import AnyEntry, QueuedDeletion
from tui_chat.client.merging import Marks
from tui_chat.client.state import State
from tui_chat.client.sync import Applied, Gap, Old, reduce
from tui_chat.protocol import events
from tui_chat.protocol.models import Conversation, LastMessage, Membership, User

BOB = "C2Cbob"
CAROL = "C2Ccarol"
CLUB = "GROUPclub"


def state(*rows: Conversation, position: int | None = 10, queued: Sequence[AnyEntry] = ()) -> State:
    made = State(device_id=MINE.device_id, queued_for=lambda _: queued)
    made.fill({one.conversation_id: one for one in rows}, ())
    made.position, made.cursor = position, f"e:{position}"
    return made


def step(view: State, received: events.EventRange) -> Applied:
    """Reduce and take."""
    applied = reduce(view, received)
    assert isinstance(applied, Applied)
    view.take(applied)
    view.refresh(applied.entries)
    return applied


def kinds(applied: Applied) -> list[str]:
    return [type(effect).__name__ for effect in applied.effects]


class TestRanges:
    def test_the_next_range_is_applied_and_moves_the_position(self) -> None:
        view = state(row(BOB, 4))
        applied = step(view, ranged(11, arrived(11, BOB, 5)))
        assert (view.position, view.cursor) == (11, "e:11")
        assert applied.effects[-1] == effects.Arrived(message(BOB, 5), True)
        assert view.conversations[BOB].newest_seq == 5

    def test_a_range_without_an_event_closes_the_gap(self) -> None:
        view = state(row(BOB, 4))
        applied = step(view, ranged(11, last=14))
        assert view.position == 14
        assert not applied.entries
        assert not applied.effects

    def test_a_range_of_another_numbering_is_not_applied(self) -> None:
        other = msgspec.structs.replace(ranged(11, arrived(11, BOB, 5)), cursor="f:11")
        assert reduce(state(row(BOB, 4)), other) == Gap(11)

    def test_a_repeated_or_older_range_changes_nothing(self) -> None:
        view = state(row(BOB, 4))
        step(view, ranged(11, arrived(11, BOB, 5)))
        assert isinstance(reduce(view, ranged(11, arrived(11, BOB, 5))), Old)
        assert isinstance(reduce(view, ranged(3, last=9)), Old)

    def test_a_range_further_on_is_a_gap(self) -> None:
        assert reduce(state(row(BOB, 4)), ranged(12, arrived(12, BOB, 6))) == Gap(12)

    def test_of_an_overlapping_range_only_the_new_part_counts(self) -> None:
        view = state(row(BOB, 4))
        step(view, ranged(11, deleted(11, {BOB: Marks(4, 4)})))
        applied = step(view, ranged(9, arrived(10, BOB, 4), deleted(11, {BOB: Marks(4, 4)}), arrived(12, CAROL, 1)))
        assert set(applied.entries) == {CAROL}

    def test_before_anything_is_known_the_first_range_counts(self) -> None:
        view = state(position=None)
        step(view, ranged(7, arrived(7, BOB, 1)))
        assert view.position == 7

    def test_of_an_unknown_kind_the_number_is_taken_and_nothing_else(self) -> None:
        view = state(row(BOB, 4))
        unknown = events.EventRange(
            first=11, last=11, cursor="e:11", events=[msgspec.Raw(b'{"kind":"planet.aligned","eventSeq":11}')]
        )
        assert step(view, unknown) == Applied(position=11, cursor="e:11")
        assert view.position == 11

    def test_the_state_that_is_read_is_not_touched(self) -> None:
        rows: Mapping[str, Conversation] = {BOB: row(BOB, 4), CAROL: row(CAROL, 2)}
        view = state(*rows.values())
        reduce(view, ranged(11, deleted(11, {BOB: Marks(4, 4)}), arrived(12, CAROL, 3)))
        assert view.conversations == rows


@pytest.mark.parametrize(
    ("cursor", "position"), [("e:12", 12), ("2025:a:7", 7), (None, None), ("", None), ("e:", None), ("e:x", None)]
)
def test_the_position_in_a_cursor(cursor: str | None, position: int | None) -> None:
    assert position_of(cursor) == position


class TestDeleting:
    def test_the_row_goes_and_the_history_is_cleared(self) -> None:
        view = state(row(BOB, 4), row(CAROL, 2))
        applied = step(view, ranged(11, deleted(11, {BOB: Marks(4, 4)})))
        assert applied.effects == [
            effects.Removed([BOB], [BOB], True, "b1", 600, OTHER),
            effects.ClearedThrough(BOB, 4),
        ]
        assert set(view.shown) == {CAROL}

    def test_keeping_history_clears_nothing(self) -> None:
        view = state(row(BOB, 4))
        applied = step(view, ranged(11, deleted(11, {BOB: Marks(4, 0)}, clear=False)))
        assert kinds(applied) == ["Removed"]
        assert view.marks_of(BOB) == Marks(4, 0)

    def test_the_row_stays_for_what_is_newer(self) -> None:
        view = state(row(BOB, 6, pinned=True))
        applied = step(view, ranged(11, deleted(11, {BOB: Marks(4, 4)})))
        left = view.shown[BOB]
        assert (left.cleared_through, left.message_count, left.unread_count, left.pinned) == (4, 2, 2, False)
        assert left.last_message is not None
        assert effects.Inexact(BOB) in applied.effects
        assert effects.Removed([BOB], [], True, "b1", 600, OTHER) in applied.effects

    def test_a_late_or_repeated_deletion_never_moves_a_watermark_back(self) -> None:
        view = state(row(BOB, 9, hidden_through=6, cleared_through=6))
        step(view, ranged(11, deleted(11, {BOB: Marks(4, 4)})))
        assert view.marks_of(BOB) == Marks(6, 6)
        assert BOB in view.shown

    def test_what_an_older_event_tells_does_not_bring_back_what_was_cleared(self) -> None:
        # A snapshot's position is read before its state: events behind it may tell of earlier.
        view = state(row(BOB, 9, hidden_through=8, cleared_through=8))
        applied = step(view, ranged(11, arrived(11, BOB, 7)))
        assert view.marks_of(BOB) == Marks(8, 8)
        assert view.shown[BOB].newest_seq == 9
        assert applied.effects[-1] == effects.Arrived(message(BOB, 7), False)

    def test_nor_does_it_take_back_what_came_after(self) -> None:
        view = state(row(BOB, 9))
        step(view, ranged(11, arrived(11, BOB, 7)))
        assert view.shown[BOB] == row(BOB, 9)

    def test_the_watermark_of_what_has_no_row_does_not_move_back_either(self) -> None:
        view = state(row(BOB, 6))
        step(view, ranged(11, deleted(11, {BOB: Marks(6, 6)})))
        step(view, ranged(12, deleted(12, {BOB: Marks(4, 4)})))
        assert view.marks_of(BOB) == Marks(6, 6)

    def test_a_newer_message_brings_a_cleared_conversation_back_without_the_old(self) -> None:
        view = state(row(BOB, 4))
        step(view, ranged(11, deleted(11, {BOB: Marks(4, 4)})))
        step(view, ranged(12, arrived(12, BOB, 5, hidden_through=4, cleared_through=4)))
        assert (view.shown[BOB].message_count, view.shown[BOB].cleared_through) == (1, 4)

    def test_numbers_from_before_the_deletion_do_not_list_it_again(self) -> None:
        view = state(row(BOB, 4))
        step(view, ranged(11, deleted(11, {BOB: Marks(4, 4)})))
        step(view, ranged(12, events.ConversationChanged(event_seq=12, conversations=[row(BOB, 4, muted=True)])))
        assert BOB not in view.shown

    def test_deleting_what_has_no_row_still_clears_what_is_cached(self) -> None:
        view = state()
        applied = step(view, ranged(11, deleted(11, {BOB: Marks(4, 4)}, device=MINE)))
        assert kinds(applied) == ["Removed", "ClearedThrough"]
        assert view.marks_of(BOB) == Marks(4, 4)

    def test_all_in_one_range(self) -> None:
        view = state(row(BOB, 4))
        applied = step(
            view,
            ranged(
                11,
                arrived(11, BOB, 5),
                deleted(12, {BOB: Marks(5, 5)}),
                arrived(13, BOB, 6, hidden_through=5, cleared_through=5),
            ),
        )
        assert [effect.visible for effect in applied.effects if isinstance(effect, effects.Arrived)] == [True, True]
        assert view.shown[BOB].message_count == 1


def emptied(event_seq: int, conversation_id: str, marks: Marks) -> events.ConversationCleared:
    """A history cleared by another device."""
    return events.ConversationCleared(
        event_seq=event_seq,
        items=[watermark(conversation_id, marks)],
        operation_id="o",
        batch_id="b2",
        undo_seconds=600,
        device=OTHER,
    )


class TestClearing:
    def test_the_row_stays_empty(self) -> None:
        view = state(row(BOB, 4))
        applied = step(view, ranged(11, emptied(11, BOB, Marks(0, 4))))
        left = view.shown[BOB]
        assert (left.message_count, left.unread_count, left.last_message, left.first_seq) == (0, 0, None, 0)
        assert kinds(applied) == ["Emptied", "ClearedThrough"]

    def test_beyond_what_is_known_the_row_is_asked_for(self) -> None:
        # The log leaves out messages that were cleared since: 5 and 6 came while this device was away.
        view = state(row(BOB, 4))
        applied = step(view, ranged(11, emptied(13, BOB, Marks(0, 6))))
        assert effects.Inexact(BOB) in applied.effects

    def test_a_row_that_came_back_with_messages_nobody_tells_of_is_asked_for(self) -> None:
        view = state(row(BOB, 4))
        step(view, ranged(11, deleted(11, {BOB: Marks(4, 4)})))
        applied = step(view, ranged(12, emptied(14, BOB, Marks(4, 6))))
        assert effects.Inexact(BOB) in applied.effects
        assert view.marks_of(BOB) == Marks(4, 6)

    def test_without_a_row_nothing_is_asked_where_nothing_came_since(self) -> None:
        view = state()
        assert effects.Inexact(BOB) not in step(view, ranged(11, emptied(11, BOB, Marks(4, 4)))).effects
        assert effects.Inexact(BOB) not in step(view, ranged(12, emptied(12, BOB, Marks(4, 3)))).effects


class TestRestoring:
    def test_the_row_and_its_history_are_back(self) -> None:
        view = state(row(BOB, 4))
        step(view, ranged(11, deleted(11, {BOB: Marks(4, 4)})))
        applied = step(view, ranged(12, restored(12, row(BOB, 4))))
        assert effects.Back([BOB], [BOB], [BOB], "b1", OTHER) in applied.effects
        assert view.marks_of(BOB) == Marks(0, 0)
        assert view.shown[BOB] == row(BOB, 4)

    def test_nothing_happens_where_the_row_stayed(self) -> None:
        view = state(row(BOB, 4))
        applied = step(view, ranged(11, restored(11, row(BOB, 4))))
        assert effects.Back([BOB], [], [], "b1", OTHER) in applied.effects
        assert view.shown[BOB] == row(BOB, 4)

    def test_what_another_deletion_still_hides_stays_hidden(self) -> None:
        view = state(row(BOB, 4))
        step(view, ranged(11, deleted(11, {BOB: Marks(4, 4)})))
        step(view, ranged(12, restored(12, row(BOB, 4, hidden_through=4))))
        assert BOB not in view.shown
        assert view.marks_of(BOB) == Marks(4, 0)

    def test_a_row_that_is_newer_than_what_is_told_stays(self) -> None:
        """The snapshot was taken after all of this, and its position before."""
        view = state(row(BOB, 5, hidden_through=4))
        step(view, ranged(11, deleted(11, {BOB: Marks(4, 4)})))
        applied = step(view, ranged(12, restored(12, row(BOB, 4, hidden_through=4))))
        assert effects.Inexact(BOB) in applied.effects
        assert effects.Back([BOB], [], [BOB], "b1", OTHER) in applied.effects
        assert view.marks_of(BOB) == Marks(4, 0)
        assert view.shown[BOB].newest_seq == 5

    def test_a_row_that_is_newer_than_what_is_told_stays_on_the_screen_over_a_deletion_that_waits(self) -> None:
        """How it stands was asked for, and its newest message has not been told; the deletion had not seen that."""
        waits = QueuedDeletion(
            conversation_id_list=[BOB], clear_history_message=True, up_to={BOB: 4}, operation_id="o", batch_id="b2"
        )
        view = state(row(BOB, 5, hidden_through=2), queued=[waits])
        applied = step(view, ranged(11, restored(11, row(BOB, 4))))
        assert view.marks_of(BOB) == Marks(0, 0)
        assert view.shown[BOB].newest_seq == 5, "nobody tells of a row that an event takes"
        assert effects.Inexact(BOB) in applied.effects

    def test_a_page_that_was_asked_for_before_is_of_no_use(self) -> None:
        view = state(row(BOB, 4))
        before = view.generation(BOB)
        step(view, ranged(11, arrived(11, BOB, 5)))
        assert view.generation(BOB) == before
        step(view, ranged(12, deleted(12, {BOB: Marks(5, 5)})))
        between = view.generation(BOB)
        assert between != before
        step(view, ranged(13, restored(13, row(BOB, 5))))
        assert view.generation(BOB) not in (before, between)


class TestStaleness:
    """Sync of deletions is off: another device deleted, and this one was not told."""

    def test_a_word_of_the_server_without_a_message_marks_the_copy(self) -> None:
        view = state(row(BOB, 4))
        said = row(BOB, 4, hidden_through=4, cleared_through=4, muted=True)
        applied = step(view, ranged(11, events.ConversationChanged(event_seq=11, conversations=[said])))
        assert applied.effects == [effects.TurnedStale(BOB)]
        assert view.shown[BOB].message_count == 4
        assert view.shown[BOB].muted

    def test_the_next_message_brings_it_in_line(self) -> None:
        view = state(row(BOB, 4))
        applied = step(view, ranged(11, arrived(11, BOB, 5, hidden_through=4, cleared_through=4)))
        assert kinds(applied) == ["ClearedThrough", "InLine", "Arrived"]
        assert view.shown[BOB].message_count == 1

    def test_undoing_one_of_two_deletions_leaves_the_copy(self) -> None:
        view = state(row(BOB, 4))
        applied = step(view, ranged(11, restored(11, row(BOB, 4, hidden_through=4, cleared_through=4))))
        assert kinds(applied) == ["Doubtful", "TurnedStale", "Back"]
        assert view.shown[BOB].message_count == 4

    def test_undoing_a_clearing_under_a_deletion_without_word_gives_the_copy_its_messages_back(self) -> None:
        view = state(row(BOB, 4, cleared_through=4))
        step(view, ranged(11, restored(11, row(BOB, 4, hidden_through=4))))
        assert view.marks_of(BOB) == Marks(0, 0)
        step(view, ranged(12, arrived(12, BOB, 5, hidden_through=4)))
        assert view.shown[BOB].cleared_through == 0, "or they would be out of sight until a reload"

    def test_undoing_one_of_two_clearings_takes_what_the_other_cleared(self) -> None:
        view = state(row(BOB, 4))
        applied = step(view, ranged(11, restored(11, row(BOB, 4, cleared_through=3))))
        assert effects.ClearedThrough(BOB, 3) in applied.effects
        assert view.shown[BOB].message_count == 1

    def test_without_a_row_there_is_no_copy_and_what_was_kept_goes(self) -> None:
        view = state(row(BOB, 4))
        step(view, ranged(11, deleted(11, {BOB: Marks(4, 0)}, clear=False)))
        said = row(BOB, 4, hidden_through=4, cleared_through=4, muted=True)
        applied = step(view, ranged(12, events.ConversationChanged(event_seq=12, conversations=[said])))
        assert applied.effects == [effects.ClearedThrough(BOB, 4)]
        assert view.marks_of(BOB) == Marks(4, 4)
        again = step(view, ranged(13, events.ConversationChanged(event_seq=13, conversations=[said])))
        assert again.effects == [], "it is gone already"

    def test_an_answer_to_a_question_tells_as_well(self) -> None:
        view = state(row(BOB, 4))
        applied = sync.tell(view, row(BOB, 4, hidden_through=4, cleared_through=4))
        assert applied is not None
        assert applied.effects == [effects.TurnedStale(BOB)]
        assert applied.position == 10


class TestComingBack:
    """Who is no member is not told of what becomes of messages."""

    @pytest.mark.parametrize("deleted_meanwhile", [False, True])
    def test_what_is_held_of_the_time_before_is_in_doubt(self, deleted_meanwhile: bool) -> None:
        view = state(row(CLUB, 8, membership=Membership.LEFT, join_seq=2))
        if deleted_meanwhile:
            step(view, ranged(11, deleted(11, {CLUB: Marks(8, 0)}, clear=False)))
        seq = 12 if deleted_meanwhile else 11
        applied = step(view, ranged(seq, arrived(seq, CLUB, 16, first_seq=2, join_seq=16)))
        assert "Doubtful" in kinds(applied)

    def test_who_stayed_has_none_where_a_message_brings_the_row_back(self) -> None:
        view = state(row(CLUB, 8, join_seq=2, first_seq=2))
        step(view, ranged(11, deleted(11, {CLUB: Marks(8, 0)}, clear=False)))
        applied = step(view, ranged(12, arrived(12, CLUB, 9, first_seq=2, join_seq=2, hidden_through=8)))
        assert "Doubtful" not in kinds(applied)


class TestReading:
    def test_a_read_mark_moves_forward_only(self) -> None:
        view = state(row(BOB, 9))
        read = events.ReadItem(conversation_id=BOB, read_seq=9)
        step(view, ranged(11, events.ConversationRead(event_seq=11, items=[read])))
        assert (view.shown[BOB].read_seq, view.shown[BOB].unread_count) == (9, 0)
        late = events.ReadItem(conversation_id=BOB, read_seq=5, unread_count=4)
        step(view, ranged(12, events.ConversationRead(event_seq=12, items=[late])))
        assert (view.shown[BOB].read_seq, view.shown[BOB].unread_count) == (9, 0)

    def test_the_other_side_read(self) -> None:
        view = state(row(BOB, 9))
        event = events.ConversationRead(event_seq=11, conversation_id=BOB, peer_read_seq=7)
        assert step(view, ranged(11, event)).effects == [effects.PeerHasRead(BOB, 7)]
        again = events.ConversationRead(event_seq=12, conversation_id=BOB, peer_read_seq=6)
        assert step(view, ranged(12, again)).effects == []


class TestNames:
    """A nick travels by user.changed alone."""

    @pytest.mark.parametrize(("nick", "name"), [("Robert", "Robert"), (None, "bob")])
    def test_the_row_is_called_so_and_nothing_else_of_it_changes(self, nick: str | None, name: str) -> None:
        others = LastMessage(message_seq=1, sender="carol", time=1, text="x")
        view = state(row(BOB, 4, pinned=True, hidden_through=2), row(CAROL, 1, last_message=others))
        before = view.conversations[BOB]
        renamed = events.UserChanged(event_seq=11, user=User(user_id="bob", nick=nick))
        applied = step(view, ranged(11, renamed))
        shown = view.conversations[BOB]
        assert (shown.name, shown.last_message and shown.last_message.nick) == (name, nick)
        assert set(applied.entries) == {BOB}
        assert applied.effects == [effects.Renamed(User(user_id="bob", nick=nick))]
        assert msgspec.structs.replace(shown, name=before.name, last_message=before.last_message) == before

    def test_ones_own_message_stays_ones_own(self) -> None:
        mine = LastMessage(message_seq=4, sender="alice", time=1, text="x", nick="Ally")
        view = state(row(BOB, 4, last_message=mine))
        step(view, ranged(11, events.UserChanged(event_seq=11, user=User(user_id="bob", nick="Robert"))))
        assert view.conversations[BOB].last_message == mine

    def test_what_they_wrote_last_in_a_group_is_theirs_by_that_name(self) -> None:
        view = state(row("GROUPplans", 7))
        step(view, ranged(11, events.UserChanged(event_seq=11, user=User(user_id="bob", nick="Robert"))))
        shown = view.conversations["GROUPplans"]
        assert (shown.name, shown.last_message and shown.last_message.nick) == ("GROUPplans", "Robert")

    def test_who_has_no_row_gets_none(self) -> None:
        view = state(row(BOB, 4))
        applied = step(view, ranged(11, events.UserChanged(event_seq=11, user=User(user_id="carol", nick="C"))))
        assert not applied.entries
        assert view.position == 11


def test_every_kind_of_event_has_its_handler() -> None:
    assert set(sync.HANDLERS) == {*get_args(events.KnownEvent), events.Unknown}


def test_a_revoked_device_is_told() -> None:
    applied = step(state(), ranged(11, events.DeviceRevoked(event_seq=11, device_id="d-phone")))
    assert applied.effects == [effects.DeviceGone("d-phone")]


def test_a_misshapen_event_leaves_everything_as_it_is() -> None:
    view = state(row(BOB, 4))
    bad = events.EventRange(
        first=11, last=11, cursor="e:11", events=[msgspec.Raw(b'{"kind":"message.new","eventSeq":11,"message":3}')]
    )
    with pytest.raises(msgspec.DecodeError):
        reduce(view, bad)
    assert view.position == 10
