"""The set of marks."""

from tui_chat.tui.widgets.marks import Marks

KEYS = [f"k{n}" for n in range(10)]


def test_a_range_marks_what_lies_between_and_going_back_unmarks() -> None:
    marks = Marks()
    marks.add(["k7", "k4"])
    marks.start_range(2, "k2")
    marks.move_range(2, 6, KEYS.__getitem__)
    assert marks.marked == {"k2", "k3", "k4", "k5", "k6", "k7"}
    marks.move_range(6, 3, KEYS.__getitem__)
    assert marks.marked == {"k2", "k3", "k4", "k7"}
    marks.move_range(3, 0, KEYS.__getitem__)
    assert marks.marked == {"k0", "k1", "k2", "k4", "k7"}


def test_the_last_set_is_what_was_marked_before_it_went() -> None:
    marks = Marks()
    marks.add(["k1", "k2"])
    assert marks.clear() == 2
    assert marks.last == {"k1", "k2"}
    assert marks.clear() == 0
    assert marks.last == {"k1", "k2"}


def test_a_set_that_is_deleted_in_chunks_is_remembered_whole() -> None:
    marks = Marks()
    marks.add(KEYS)
    assert marks.forget(KEYS[:5])
    assert marks.forget(KEYS[5:])
    assert not marks.forget(KEYS)
    assert not marks.marked
    assert marks.last == set(KEYS)


def test_after_a_deletion_a_new_set_begins() -> None:
    marks = Marks()
    marks.add(["k1"])
    marks.forget(["k1"])
    marks.add(["k2"])
    marks.forget(["k2"])
    assert marks.last == {"k2"}
