"""Limits: a burst, then a steady rate; a lockout that grows; memory that does not."""

import pytest

from tui_chat.protocol.errors import TooFrequent
from tui_chat.server.ratelimit import Lockout, Rate


class Time:
    """A monotonic clock that stands still until told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_let_through_then_the_rate() -> None:
    time = Time()
    rate = Rate(10, 3, time)
    for _ in range(3):
        rate.take("alice")
    with pytest.raises(TooFrequent) as refused:
        rate.take("alice")
    assert refused.value.retry_after == pytest.approx(0.1)
    time.now += 0.1
    rate.take("alice")
    with pytest.raises(TooFrequent):
        rate.take("alice")


def test_one_key_does_not_pay_for_another() -> None:
    rate = Rate(1, 1, Time())
    rate.take("alice")
    rate.take("bob")


def test_waiting_gives_no_more_than_the_burst() -> None:
    time = Time()
    rate = Rate(10, 2, time)
    rate.take("alice")
    time.now += 1000
    rate.take("alice")
    rate.take("alice")
    with pytest.raises(TooFrequent):
        rate.take("alice")


def test_idle_buckets_are_forgotten() -> None:
    time = Time()
    rate = Rate(10, 5, time)
    for number in range(1000):
        time.now += 0.1
        rate.take(number)
    assert len(rate) < 20


def test_guesses_are_free_then_cost_ever_more_time() -> None:
    time = Time()
    lockout = Lockout(5, time)
    waits = []
    for _ in range(12):
        while True:
            try:
                lockout.check("alice")
                break
            except TooFrequent as refused:
                waits.append(refused.retry_after or 0)
                time.now += refused.retry_after or 0
    assert waits[:3] == pytest.approx([15, 30, 60])
    assert max(waits) == pytest.approx(Lockout.LONGEST_SECONDS)
    assert waits == sorted(waits)


def test_guesses_at_one_account_do_not_lock_another() -> None:
    lockout = Lockout(1, Time())
    lockout.check("alice")
    with pytest.raises(TooFrequent):
        lockout.check("alice")
    lockout.check("bob")


def test_a_success_clears_the_account() -> None:
    lockout = Lockout(2, Time())
    lockout.check("alice")
    lockout.succeeded("alice")
    lockout.check("alice")
    lockout.check("alice")
    with pytest.raises(TooFrequent):
        lockout.check("alice")


def test_five_log_ins_a_minute_never_lock_their_account_out() -> None:
    time = Time()
    lockout = Lockout(5, time)
    for _ in range(100):
        time.now += 12
        lockout.check("alice")
