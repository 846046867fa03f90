"""Limits: a burst, then a steady rate; a lockout that grows; memory that does not."""

from random import Random

import pytest

from tui_chat.protocol import limits
from tui_chat.protocol.errors import TooFrequent
from tui_chat.server import ratelimit
from tui_chat.server.ratelimit import EachDevice, Guesses, Lockout, OneAtATime, Rate, limited_address


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


def test_nobody_gets_more_because_others_were_forgotten() -> None:
    time, random = Time(), Random(7)
    rate = Rate(10, 5, time)
    full: dict[int, float] = {}
    """When each bucket is full again, of all who ever called."""
    let_in = refused = 0
    for _ in range(20_000):
        time.now += random.choice((*[0.0] * 20, 0.02, 0.1, 0.7))
        key = int(random.expovariate(1.0))
        again = max(full.get(key, 0.0), time.now) + 0.1
        try:
            rate.take(key)
            full[key] = again
            let_in += 1
            assert again - time.now <= 0.5 + 1e-5
        except TooFrequent:
            refused += 1
            assert again - time.now > 0.5
    assert let_in > 1000
    assert refused > 1000


def test_however_many_call_no_more_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "MOST_KEYS", 100)
    rate = Rate(1, 1, Time())
    for number in range(1000):
        rate.take(number)
        assert len(rate) <= 100
    with pytest.raises(TooFrequent):
        rate.take(999 - 49)


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


def test_a_device_has_its_limit_and_all_of_a_user_twice_as_much() -> None:
    each = EachDevice(1, 10, Time())

    def let_in(device: int) -> int:
        count = 0
        try:
            while True:
                each.take(1, device)
                count += 1
        except TooFrequent:
            return count

    assert limits.DEVICES_SHARE == 2
    assert [let_in(device) for device in (1, 2, 3)] == [10, 10, 0]
    each.take(2, 4)


def test_a_right_guess_takes_a_failure_back_but_does_not_clear_an_address() -> None:
    time = Time()
    guesses = Guesses(time)
    for number in range(5):
        guesses.attempt(f"user{number}", "10.0.0.1")
    with pytest.raises(TooFrequent):
        guesses.attempt("alice", "10.0.0.1")
    time.now += 15
    guesses.attempt("alice", "10.0.0.1")
    guesses.succeeded("alice", "10.0.0.1")
    guesses.attempt("bob", "10.0.0.1")
    with pytest.raises(TooFrequent) as refused:
        guesses.attempt("carol", "10.0.0.1")
    assert refused.value.retry_after == pytest.approx(15)


def test_this_machine_has_no_limit_by_address() -> None:
    guesses = Guesses(Time())
    for number in range(100):
        guesses.attempt(f"user{number}", limited_address("127.0.0.1"))


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        (None, None),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("no address", "no address"),
    ],
)
def test_what_an_address_counts_as(address: str | None, counted: str | None) -> None:
    assert limited_address(address) == counted


def test_one_at_a_time_for_each_user() -> None:
    exports = OneAtATime()
    with exports.of(1):
        with pytest.raises(TooFrequent), exports.of(1):
            pass
        with exports.of(2):
            assert exports.under_way == 2
    with exports.of(1):
        pass
    assert exports.under_way == 0
