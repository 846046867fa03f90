"""Order of rows, and where the cursor goes."""

from hypothesis import given
from hypothesis import strategies as st

from tui_chat.tui.widgets.row_order import KeyRows, SortedRows, nearest_left

keys = st.sampled_from([f"k{n}" for n in range(12)])
orders = st.dictionaries(keys, st.integers(-3, 3))


@given(orders, orders, st.lists(keys), st.booleans(), st.booleans())
def test_changed_equals_sorting_anew(
    before: dict[str, int], place: dict[str, int], remove: list[str], many_come: bool, many_go: bool
) -> None:
    crowd = {f"m{n}": n // 3 for n in range(100)}
    before |= crowd if many_go else {}
    place |= {f"n{key}": at for key, at in crowd.items()} if many_come else {}
    remove += list(crowd)[::-1] if many_go else []
    rows = SortedRows(before)
    held = list(rows.ordered())
    changed = rows.changed(place, remove)
    expected = {key: at for key, at in {**before, **place}.items() if key not in remove}
    assert changed.ordered() == sorted(expected, key=lambda key: (-expected[key], key))
    assert [changed.index_of(key) for key in changed.ordered()] == list(range(len(changed)))
    assert rows.ordered() == held


def test_index_of_what_is_not_there() -> None:
    assert SortedRows().index_of("x") is None
    assert KeyRows(["a"]).index_of("x") is None


def test_the_nearest_row_is_the_next_one_else_the_one_before() -> None:
    old = KeyRows(list("abcdef"))
    assert nearest_left(old, 2, KeyRows(list("abef"))) == 2
    assert nearest_left(old, 4, KeyRows(list("abc"))) == 2
    assert nearest_left(old, 3, KeyRows()) == 0
