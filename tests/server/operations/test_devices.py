"""Devices and tokens where things happen at once, twice, too late, or on a clock that jumps."""

import pytest

from tui_chat.protocol import limits
from tui_chat.protocol.errors import PasswordMismatch, RegistrationClosed, Unauthorized, WrongPassword
from tui_chat.protocol.events import DeviceRevoked
from tui_chat.protocol.requests import Credentials, Session
from tui_chat.server.operations import accounts, devices

from .world import Device, World

YEAR = 365 * 86_400


def refresh(world: World, token: str) -> Session:
    session = world.do(devices.refresh, token)
    assert session is not None
    return session


def use(world: World, one: Device, session: Session) -> None:
    """A request with the session's access token."""
    assert world.do(accounts.authenticate, session.access_token) == one.caller
    world.do(devices.touch, one.caller, session.access_token)


def is_refused(world: World, session: Session) -> bool:
    """Whether neither token of a pair is good; asking for a new one has its consequences."""
    with pytest.raises(Unauthorized):
        world.do(accounts.authenticate, session.access_token)
    return world.do(devices.refresh, session.refresh_token) is None


class TestTwoRefreshesWithOneToken:
    """One answer was lost, or two have the token; which of them it was shows later."""

    def test_the_second_answer_counts(self, world: World, alice: Device) -> None:
        first = refresh(world, alice.session.refresh_token)
        second = refresh(world, alice.session.refresh_token)
        with pytest.raises(Unauthorized):
            world.do(accounts.authenticate, first.access_token)
        use(world, alice, second)

    def test_who_got_the_first_can_go_on_while_the_second_was_never_used(self, world: World, alice: Device) -> None:
        first = refresh(world, alice.session.refresh_token)
        refresh(world, alice.session.refresh_token)
        use(world, alice, refresh(world, first.refresh_token))

    @pytest.mark.parametrize("later", ["first", "old"])
    def test_once_one_pair_was_used_the_other_betrays_a_copy(self, world: World, alice: Device, later: str) -> None:
        old = alice.session.refresh_token
        first = refresh(world, old)
        second = refresh(world, old)
        use(world, alice, second)
        assert world.do(devices.refresh, first.refresh_token if later == "first" else old) is None
        assert is_refused(world, second)

    def test_any_number_of_answers_can_get_lost(self, world: World, alice: Device) -> None:
        answers = [refresh(world, alice.session.refresh_token) for _ in range(5)]
        use(world, alice, answers[-1])
        assert len(world.do(devices.devices, alice.caller).devices) == 1

    def test_a_request_with_the_older_token_does_not_confirm_a_pair_that_may_be_lost(
        self, world: World, alice: Device
    ) -> None:
        caller = world.do(accounts.authenticate, alice.session.access_token)
        refresh(world, alice.session.refresh_token)
        world.do(devices.touch, caller, alice.session.access_token)
        use(world, alice, refresh(world, alice.session.refresh_token))


class TestARevokedDevice:
    """It stays out."""

    def test_gets_no_new_tokens(self, world: World, alice: Device) -> None:
        phone = alice.another()
        newer = refresh(world, phone.session.refresh_token)
        world.do(devices.revoke, alice.caller, phone.caller.device_id)
        assert is_refused(world, newer)
        assert world.do(devices.refresh, phone.session.refresh_token) is None
        world.do(devices.touch, phone.caller, newer.access_token)
        assert is_refused(world, newer)

    def test_is_forgotten_once_no_log_names_it(self, world: World, alice: Device, bob: Device) -> None:
        phone = alice.another()
        world.do(devices.revoke, alice.caller, phone.caller.device_id)
        world.pass_seconds(30 * 86_400)
        world.tidy()
        assert world.rows("SELECT COUNT(*) FROM device WHERE account = ?", alice.caller.user) == [(2,)]
        world.pass_seconds(2 * 86_400)
        world.tidy()
        assert world.rows("SELECT COUNT(*) FROM device WHERE account = ?", alice.caller.user) == [(1,)]


class TestAClockThatJumps:
    """Nobody is locked out for good, and no token lives on."""

    def test_ahead_and_back(self, world: World, alice: Device) -> None:
        world.pass_seconds(YEAR)
        assert world.do(devices.refresh, alice.session.refresh_token) is None
        world.tidy()
        world.pass_seconds(-YEAR)
        use(world, alice, alice.session)
        refresh(world, alice.session.refresh_token)

    def test_a_token_that_was_made_ahead_is_not_good_for_so_long(self, world: World, alice: Device) -> None:
        world.pass_seconds(YEAR)
        phone = alice.another()
        world.pass_seconds(-YEAR)
        with pytest.raises(Unauthorized):
            world.do(accounts.authenticate, phone.session.access_token)
        again = refresh(world, phone.session.refresh_token)
        world.pass_seconds(limits.ACCESS_TOKEN_SECONDS)
        with pytest.raises(Unauthorized):
            world.do(accounts.authenticate, again.access_token)

    def test_nothing_that_was_made_ahead_lives_longer_than_what_is_made_now(self, world: World, alice: Device) -> None:
        world.pass_seconds(YEAR)
        phone = alice.another()
        spent = phone.session.refresh_token
        newer = refresh(world, spent)
        invitation = world.do(accounts.create_invite, alice.caller)
        world.pass_seconds(-YEAR)
        world.tidy()
        world.pass_seconds(limits.REFRESH_TOKEN_SECONDS - 1)
        assert world.do(devices.devices, alice.caller).devices != []
        last = refresh(world, newer.refresh_token)
        world.pass_seconds(1)
        asked = Credentials(user_id="eve", password="correct horse", device_name="x", invite=invitation.invite)
        with pytest.raises(RegistrationClosed):
            world.do(accounts.check_registration, asked, open_registration=False)
        # When the time comes at which it was made, it is as dead as it was before.
        world.pass_seconds(YEAR - limits.REFRESH_TOKEN_SECONDS)
        with pytest.raises(Unauthorized):
            world.do(accounts.authenticate, newer.access_token)
        assert is_refused(world, last)

    def test_a_copy_of_a_token_that_was_made_ahead_ends_with_it(self, world: World, alice: Device) -> None:
        world.pass_seconds(YEAR)
        phone = alice.another()
        world.pass_seconds(-YEAR)
        world.tidy()
        world.pass_seconds(limits.REFRESH_TOKEN_SECONDS)
        assert world.do(devices.refresh, phone.session.refresh_token) is None
        assert [one.name for one in world.do(devices.devices, alice.caller).devices] == []

    def test_a_device_of_a_clock_ahead_is_not_the_last_seen_for_so_long(
        self, world: World, alice: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "DEVICES", 2)
        world.pass_seconds(YEAR)
        alice.another("phone")
        world.pass_seconds(-YEAR)
        world.tidy()
        assert all(one.last_seen_at <= world.now for one in world.do(devices.devices, alice.caller).devices)
        world.pass_seconds(100)
        world.do(devices.touch, alice.caller, alice.session.access_token)
        alice.another("tablet")
        assert {one.name for one in world.do(devices.devices, alice.caller).devices} == {"laptop", "tablet"}

    def test_clocks_that_differ_a_little_change_nothing(self, world: World, alice: Device) -> None:
        until = world.rows("SELECT refresh_until, access_until FROM device")
        world.pass_seconds(-200)
        world.tidy()
        assert world.rows("SELECT refresh_until, access_until FROM device") == until

    def test_a_little_back_does_no_harm(self, world: World, alice: Device) -> None:
        world.pass_seconds(-600)
        use(world, alice, alice.session)
        [row] = world.do(devices.devices, alice.caller).devices
        assert row.last_seen_at == world.now


class TestHowManyDevices:
    """There is an end to them, and nobody is locked out by it."""

    def test_the_one_seen_longest_ago_makes_room(
        self, world: World, alice: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "DEVICES", 3)
        phone, tablet = alice.another("phone"), alice.another("tablet")
        world.pass_seconds(100)
        world.do(devices.touch, alice.caller, alice.session.access_token)
        alice.told()
        television = alice.another("television")
        names = {one.name for one in world.do(devices.devices, alice.caller).devices}
        assert names == {"laptop", "tablet", "television"}
        assert is_refused(world, phone.session)
        [event] = alice.told()
        assert isinstance(event, DeviceRevoked)
        assert event.device_id == phone.caller.device_id
        use(world, tablet, tablet.session)
        use(world, television, television.session)


class TestPasswords:
    """Changing them, and what was on its way meanwhile."""

    def test_other_devices_are_logged_out(self, world: World, alice: Device) -> None:
        phone = alice.another()
        changed = world.do(
            accounts.change_password, alice.caller, verified="hash", password_hash="new", keep_devices=False
        )
        assert (changed.devices_revoked, changed.event_seq) == (1, 1)
        assert is_refused(world, phone.session)
        use(world, alice, alice.session)
        assert world.do(accounts.password_of, "alice") == "new"

    def test_unless_asked_otherwise(self, world: World, alice: Device) -> None:
        phone = alice.another()
        world.do(accounts.change_password, alice.caller, verified="hash", password_hash="new", keep_devices=True)
        use(world, phone, phone.session)

    def test_of_two_changes_at_once_the_second_is_refused(self, world: World, alice: Device) -> None:
        phone = alice.another()
        world.do(accounts.change_password, alice.caller, verified="hash", password_hash="a", keep_devices=True)
        with pytest.raises(PasswordMismatch):
            world.do(accounts.change_password, phone.caller, verified="hash", password_hash="b", keep_devices=True)
        assert world.do(accounts.password_of, "alice") == "a"

    def test_a_log_in_with_the_old_one_that_was_on_its_way_is_refused(self, world: World, alice: Device) -> None:
        world.do(accounts.change_password, alice.caller, verified="hash", password_hash="new", keep_devices=False)
        asked = Credentials(user_id="alice", password="correct horse", device_name="x")
        with pytest.raises(WrongPassword):
            world.do(accounts.login, asked, verified="hash")
        assert world.do(accounts.login, asked, verified="new", renewed_hash="dearer").user_id == "Alice"
        assert world.do(accounts.password_of, "alice") == "dearer"


class TestNicks:
    """Who is told of a new one."""

    def test_members_of_groups_too_within_bounds(
        self, world: World, alice: Device, bob: Device, carol: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alice.create("g", "bob", "carol")
        alice.send("C2Cbob")
        for one in (alice, bob, carol):
            one.told()
        world.do(accounts.set_nick, alice.caller, "Al")
        assert [len(one.told()) for one in (alice, bob, carol)] == [1, 1, 1]
        monkeypatch.setattr(limits, "NICK_AUDIENCE", 1)
        world.do(accounts.set_nick, alice.caller, "Ally")
        assert [len(one.told()) for one in (alice, bob, carol)] == [1, 1, 0]


class TestNames:
    """Two devices of one account are told apart by their names."""

    def named(self, world: World, one: Device) -> list[str]:
        return sorted(device.name for device in world.do(devices.devices, one.caller).devices)

    def test_a_name_that_is_taken_gets_a_number(self, world: World, alice: Device, bob: Device) -> None:
        for _ in range(2):
            alice.another("vm")
        third = alice.another("vm")
        assert self.named(world, alice) == ["laptop", "vm", "vm 2", "vm 3"]
        assert third.caller.device_name == "vm 3"
        assert bob.another("vm").caller.device_name == "vm", "of another account"

    def test_a_name_is_free_again_once_its_device_is_logged_out(self, world: World, alice: Device) -> None:
        first = alice.another("vm")
        alice.another("vm")
        world.do(devices.logout, first.caller)
        assert alice.another("vm").caller.device_name == "vm"
        assert self.named(world, alice) == ["laptop", "vm", "vm 2"]

    def test_the_number_takes_its_room_from_a_long_name(self, world: World, alice: Device) -> None:
        long = "v" * limits.NAME_CHARACTERS
        assert alice.another(long).caller.device_name == long
        assert alice.another(long).caller.device_name == long[:-2] + " 2"
