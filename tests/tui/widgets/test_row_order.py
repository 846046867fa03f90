"""Order of rows, and where the cursor goes."""

from hypothesis import given
from hypothesis import strategies as st

from tui_chat.tui.widgets.row_order import KeyRows, SortedRows, SortKey, nearest_left

keys = st.sampled_from([f"k{n}" for n in range(12)])
orders = st.dictionaries(keys, st.tuples(st.integers(0, 1), st.integers(-3, 3)))


def full(order: dict[str, tuple[int, int]]) -> dict[str, SortKey]:
    return {key: (*value, key) for key, value in order.items()}


@given(orders, orders, st.lists(keys), st.booleans())
def test_changed_equals_sorting_anew(
    before: dict[str, tuple[int, int]], place: dict[str, tuple[int, int]], remove: list[str], many: bool
) -> None:
    crowd: dict[str, tuple[int, int]] = {f"m{n}": (1, n) for n in range(100)} if many else {}
    rows = SortedRows(full(before))
    held = rows.ordered()
    changed = rows.changed(full(place | crowd), remove)
    expected = SortedRows({k: v for k, v in (full(before) | full(place | crowd)).items() if k not in remove})
    assert changed.ordered() == expected.ordered()
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
