"""What is queued, laid over what the server confirmed."""

from tests.client.making import row
from tui_chat.client.entries import QueuedClear, QueuedDeletion, QueuedFlags, QueuedRead, QueuedRestore, QueuedSend
from tui_chat.client.overlay import shown

BOB = "C2Cbob"


def deletion(up_to: int, batch: str = "b1") -> QueuedDeletion:
    return QueuedDeletion(
        conversation_id_list=[BOB], clear_history_message=True, up_to={BOB: up_to}, operation_id="o", batch_id=batch
    )


def test_nothing_queued_is_what_the_server_said() -> None:
    assert shown(row(BOB, 4), []) == row(BOB, 4)


def test_a_deletion_hides_the_row() -> None:
    assert shown(row(BOB, 4), [deletion(4)]) is None


def test_a_second_one_that_saw_less_does_not_show_it_again() -> None:
    assert shown(row(BOB, 4), [deletion(4), deletion(2, "b2")]) is None


def test_but_not_what_is_newer_than_what_was_on_the_screen() -> None:
    assert shown(row(BOB, 5), [deletion(4)]) == row(BOB, 5)


def test_where_nothing_is_known_of_the_screen_all_of_it_is_meant() -> None:
    unknown = QueuedDeletion(
        conversation_id_list=[BOB], clear_history_message=True, up_to={}, operation_id="o", batch_id="b1"
    )
    assert shown(row(BOB, 5), [unknown]) is None


def test_an_undo_that_waits_behind_it_shows_the_row() -> None:
    undo = QueuedRestore(batch_id="b1", conversation_id_list=[BOB])
    assert shown(row(BOB, 4), [deletion(4), undo]) == row(BOB, 4)
    assert shown(row(BOB, 4), [deletion(4), deletion(4, "b2"), undo]) is None


def test_a_clear_empties_the_row() -> None:
    clear = QueuedClear(conversation_id_list=[BOB], up_to={BOB: 4}, operation_id="o", batch_id="b1")
    emptied = shown(row(BOB, 4), [clear])
    assert emptied is not None
    assert (emptied.message_count, emptied.unread_count, emptied.last_message, emptied.cleared_through) == (
        0,
        0,
        None,
        4,
    )
    newer = shown(row(BOB, 6), [clear])
    assert newer is not None
    assert (newer.message_count, newer.unread_count) == (2, 2)


def test_reading_and_flags_show_at_once() -> None:
    read = shown(row(BOB, 4), [QueuedRead(conversation_id=BOB, message_seq=4, operation_id="o")])
    assert read is not None
    assert (read.unread_count, read.read_seq) == (0, 4)
    flags = QueuedFlags(conversation_id_list=[BOB], pinned=True, marked_unread=False, operation_id="o")
    flagged = shown(row(BOB, 4, marked_unread=True, muted=True), [flags])
    assert flagged is not None
    assert (flagged.pinned, flagged.marked_unread, flagged.muted) == (True, False, True)


def test_an_unsent_message_changes_no_row() -> None:
    send = QueuedSend(conversation_id=BOB, client_id="c", text="hello", time=1)
    assert shown(row(BOB, 4), [send]) == row(BOB, 4)
