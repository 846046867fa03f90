"""Which messages are held without a hole."""

from hypothesis import given
from hypothesis import strategies as st

from tui_chat.cache.runs import HeldMessages

NUMBERS = st.integers(1, 30)
RANGES = st.tuples(NUMBERS, st.integers(-2, 9)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def test_a_hole_ends_a_run() -> None:
    held = HeldMessages([1, 2, 3, 7, 8])
    assert held.tail(10) == [7, 8]
    assert held.before(7, 10) == []
    assert held.before(4, 2) == [2, 3]
    assert held.after(3, 10) == []
    assert held.after(1, 10) == [2, 3]


def test_a_page_can_say_that_nothing_lies_between() -> None:
    held = HeldMessages([98, 99, 150, 151])
    assert held.hold([], (98, 149))
    assert held.tail(10) == [98, 99, 150, 151]
    assert held.before(150, 10) == [98, 99]
    assert held.gaps() == [(100, 149)]
    assert not held.hold([150], (98, 149)), "known already"
    assert HeldMessages([4], [(3, 5)]).gaps() == [(3, 3), (5, 5)]


def test_what_is_dropped_is_no_part_of_a_run() -> None:
    held = HeldMessages(range(1, 11))
    assert held.drop_through(4) == [1, 2, 3, 4]
    assert held.tail(10) == [5, 6, 7, 8, 9, 10]
    assert held.before(5, 5) == []
    assert held.drop_through(10) == [5, 6, 7, 8, 9, 10]
    assert held.tail(10) == []
    assert not held


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("hold"), st.lists(NUMBERS, max_size=4), st.none() | RANGES),
            st.tuples(st.just("drop"), NUMBERS, st.none()),
        ),
        max_size=20,
    ),
    NUMBERS,
    st.integers(1, 8),
)
def test_it_is_the_same_as_two_sets(
    steps: list[tuple[str, object, tuple[int, int] | None]], at: int, count: int
) -> None:
    held, numbers, known = HeldMessages(), set[int](), set[int]()
    for step, value, covers in steps:
        if step == "hold":
            assert isinstance(value, list)
            held.hold(value, covers)
            numbers |= set(value)
            known |= set(value) | (set(range(covers[0], covers[1] + 1)) if covers else set())
        else:
            assert isinstance(value, int)
            assert held.drop_through(value) == sorted(number for number in numbers if number <= value)
            numbers = {number for number in numbers if number > value}
            known = {number for number in known if number > value}

    low = at - 1
    while low in known:
        low -= 1
    high = at + 1
    while high in known:
        high += 1
    assert held.before(at, count) == sorted(number for number in numbers if low < number < at)[-count:]
    assert held.after(at, count) == sorted(number for number in numbers if at < number < high)[:count]
    assert held.oldest_of(count) == sorted(numbers)[: max(len(numbers) - count, 0)]
    first = last = max(known, default=0)
    while first - 1 in known:
        first -= 1
    assert held.tail(count) == sorted(number for number in numbers if first <= number <= last)[-count:]
    again = HeldMessages(numbers, held.gaps())
    assert (again.tail(count), again.before(at, count)) == (held.tail(count), held.before(at, count))
