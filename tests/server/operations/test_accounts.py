"""Accounts, devices, tokens."""

import pytest

from tui_chat.protocol.errors import (
    AdministratorOnly,
    ChatError,
    DeviceNotFound,
    GroupNotFound,
    InvalidName,
    InvalidRequest,
    NameTaken,
    OperationNotFound,
    RegistrationClosed,
    Unauthorized,
    UserNotFound,
    WrongPassword,
)
from tui_chat.protocol.events import DeviceRevoked, UserChanged
from tui_chat.protocol.limits import ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS
from tui_chat.protocol.requests import ChangeSettings, Credentials, Session
from tui_chat.server.engines import Transaction
from tui_chat.server.operations import accounts, devices, groups, settings, users

from .world import Device, World


def credentials(user_id: str, **more: str) -> Credentials:
    return Credentials(**{"user_id": user_id, "password": "correct horse", "device_name": "laptop"} | more)


def refresh(world: World, token: str) -> Session:
    session = world.do(devices.refresh, token)
    assert session is not None
    return session


class TestRegistration:
    """Who may register, as whom."""

    def test_the_first_account_is_the_administrators(self, alice: Device, bob: Device) -> None:
        assert alice.caller.administrator
        assert not bob.caller.administrator

    def test_names_are_compared_without_case(self, world: World, alice: Device) -> None:
        with pytest.raises(NameTaken):
            world.join("aLiCe")
        assert world.do(accounts.password_of, "ALICE") == "hash"
        assert world.do(accounts.password_of, "nobody") is None

    @pytest.mark.parametrize(
        ("asked", "error"),
        [
            (credentials("-x"), InvalidName),
            (credentials("x" * 33), InvalidName),
            (credentials("bob", device_name="\u200b"), InvalidName),
            (credentials("bob", nick="x" * 61), InvalidName),
        ],
    )
    def test_faulty_names(self, world: World, asked: Credentials, error: type[ChatError]) -> None:
        with pytest.raises(error):
            world.do(accounts.check_registration, asked, open_registration=True)
        with pytest.raises(error):
            world.do(accounts.register, asked, "hash", open_registration=True)

    def test_closed_without_an_invitation(self, world: World, alice: Device) -> None:
        with pytest.raises(RegistrationClosed):
            world.do(accounts.register, credentials("bob"), "hash", open_registration=False)
        code = world.do(accounts.create_invite, alice.caller).invite
        asked = credentials("bob", invite=code)
        assert world.do(accounts.register, asked, "hash", open_registration=False).user_id == "bob"
        with pytest.raises(RegistrationClosed):
            world.do(accounts.register, credentials("carol", invite=code), "hash", open_registration=False)

    def test_an_invitation_gets_old(self, world: World, alice: Device) -> None:
        invite = world.do(accounts.create_invite, alice.caller)
        world.pass_seconds(invite.expires_in)
        with pytest.raises(RegistrationClosed):
            world.do(accounts.register, credentials("bob", invite=invite.invite), "hash", open_registration=True)

    def test_the_setting(self, world: World, alice: Device) -> None:
        world.set(registration="invite")
        with pytest.raises(RegistrationClosed):
            world.join("bob")
        world.set(registration="open")
        world.do(accounts.register, credentials("bob"), "hash", open_registration=False)

    def test_the_first_invitation(self, world: World) -> None:
        first = world.do(accounts.first_invite)
        world.pass_seconds(accounts.TOGETHER_SECONDS + 1)
        second = world.do(accounts.first_invite)
        assert first is not None
        assert second is not None
        with pytest.raises(RegistrationClosed):
            world.do(accounts.register, credentials("eve", invite=first.invite), "hash", open_registration=False)
        session = world.do(
            accounts.register, credentials("alice", invite=second.invite), "hash", open_registration=False
        )
        assert world.device(session).caller.administrator
        assert world.do(accounts.first_invite) is None

    @pytest.mark.parametrize("used", [0, 1])
    def test_of_the_first_invitations_of_several_hosts_any_one_lets_in(self, world: World, used: int) -> None:
        invites = [world.do(accounts.first_invite), world.do(accounts.first_invite)]
        codes = [invite.invite for invite in invites if invite is not None]
        asked = credentials("alice", invite=codes[used])
        session = world.do(accounts.register, asked, "hash", open_registration=False)
        assert world.device(session).caller.administrator
        with pytest.raises(RegistrationClosed):
            world.do(accounts.register, credentials("eve", invite=codes[1 - used]), "hash", open_registration=False)

    def test_the_first_invitation_of_a_clock_that_was_ahead_is_void(self, world: World) -> None:
        world.pass_seconds(86_400)
        ahead = world.do(accounts.first_invite)
        world.pass_seconds(-86_400)
        now = world.do(accounts.first_invite)
        assert ahead is not None
        assert now is not None
        with pytest.raises(RegistrationClosed):
            world.do(accounts.register, credentials("eve", invite=ahead.invite), "hash", open_registration=False)
        world.do(accounts.register, credentials("alice", invite=now.invite), "hash", open_registration=False)

    def test_invitations_are_the_administrators(self, world: World, alice: Device, bob: Device) -> None:
        with pytest.raises(AdministratorOnly):
            world.do(accounts.create_invite, bob.caller)


class TestTokens:
    """Access and refresh tokens."""

    def test_stand_in_the_database_as_hashes(self, world: World, alice: Device) -> None:
        stored = str(world.rows("SELECT * FROM device"))
        assert alice.session.access_token not in stored
        assert alice.session.refresh_token not in stored

    def test_an_access_token_gets_old(self, world: World, alice: Device) -> None:
        world.pass_seconds(ACCESS_TOKEN_SECONDS - 1)
        assert world.do(accounts.authenticate, alice.session.access_token) == alice.caller
        world.pass_seconds(1)
        with pytest.raises(Unauthorized):
            world.do(accounts.authenticate, alice.session.access_token)

    def test_are_renewed(self, world: World, alice: Device) -> None:
        world.pass_seconds(ACCESS_TOKEN_SECONDS)
        session = refresh(world, alice.session.refresh_token)
        assert session.device_id == alice.caller.device_id
        assert world.do(accounts.authenticate, session.access_token) == alice.caller
        with pytest.raises(Unauthorized):
            world.do(accounts.authenticate, alice.session.access_token)

    def test_a_lost_answer_can_be_asked_for_again(self, world: World, alice: Device) -> None:
        refresh(world, alice.session.refresh_token)
        world.pass_seconds(86_400)
        again = refresh(world, alice.session.refresh_token)
        assert world.do(accounts.authenticate, again.access_token) == alice.caller

    def test_once_the_new_pair_was_used_the_old_one_betrays_a_copy(self, world: World, alice: Device) -> None:
        session = refresh(world, alice.session.refresh_token)
        world.do(devices.touch, alice.caller, session.access_token)
        assert world.do(devices.refresh, alice.session.refresh_token) is None
        with pytest.raises(Unauthorized):
            world.do(accounts.authenticate, session.access_token)
        assert world.do(devices.refresh, session.refresh_token) is None
        assert isinstance(alice.told()[-1], DeviceRevoked)

    def test_an_older_one_betrays_a_copy_as_well(self, world: World, alice: Device) -> None:
        second = refresh(world, alice.session.refresh_token)
        third = refresh(world, second.refresh_token)
        assert world.do(devices.refresh, alice.session.refresh_token) is None
        assert world.do(devices.refresh, third.refresh_token) is None

    def test_a_refresh_token_gets_old(self, world: World, alice: Device) -> None:
        world.pass_seconds(REFRESH_TOKEN_SECONDS)
        assert world.do(devices.refresh, alice.session.refresh_token) is None

    def test_unknown_ones(self, world: World, alice: Device) -> None:
        assert world.do(devices.refresh, "nonsense\ud800") is None
        with pytest.raises(Unauthorized):
            world.do(accounts.authenticate, "nonsense")

    def test_logging_in_as_nobody(self, world: World) -> None:
        with pytest.raises(WrongPassword):
            world.do(accounts.login, credentials("nobody"))


class TestDevices:
    """Listing and revoking them."""

    def test_are_listed(self, world: World, alice: Device) -> None:
        world.pass_seconds(10)
        phone = alice.another("phone")
        found = world.do(devices.devices, alice.caller).devices
        assert [(one.name, one.current) for one in found] == [("phone", False), ("laptop", True)]
        assert found[0].device_id == phone.caller.device_id
        world.pass_seconds(100)
        world.do(devices.touch, alice.caller, alice.session.access_token)
        found = world.do(devices.devices, alice.caller).devices
        assert (found[0].name, found[0].last_seen_at) == ("laptop", world.now)

    def test_one_is_revoked(self, world: World, alice: Device) -> None:
        phone = alice.another("phone")
        alice.told()
        revoked: list[object] = []

        def job(tx: Transaction) -> None:
            devices.revoke(tx, alice.caller, phone.caller.device_id)
            revoked.extend(tx.revoked)

        world.do(job)
        assert revoked == [(alice.caller.user, phone.caller.device_id)]
        [event] = alice.told()
        assert isinstance(event, DeviceRevoked)
        with pytest.raises(Unauthorized):
            world.do(accounts.authenticate, phone.session.access_token)
        assert world.do(devices.refresh, phone.session.refresh_token) is None
        assert len(world.do(devices.devices, alice.caller).devices) == 1
        with pytest.raises(DeviceNotFound):
            world.do(devices.revoke, alice.caller, phone.caller.device_id)

    def test_of_others_cannot_be_revoked(self, world: World, alice: Device, bob: Device) -> None:
        with pytest.raises(DeviceNotFound):
            world.do(devices.revoke, alice.caller, bob.caller.device_id)

    def test_logging_out(self, world: World, alice: Device) -> None:
        world.do(devices.logout, alice.caller)
        with pytest.raises(Unauthorized):
            world.do(accounts.authenticate, alice.session.access_token)

    def test_a_revoked_ones_deletions_can_be_undone_elsewhere(self, world: World, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        phone = bob.another("phone")
        batch = phone.delete("C2CAlice").batch_id
        world.do(devices.logout, phone.caller)
        assert bob.deletions()[0].device.name == "phone"
        assert bob.undo(batch).conversation_id_list == ["C2CAlice"]


class TestOneself:
    """/v1/me."""

    def test_says_who_and_on_what_server(self, world: World, alice: Device) -> None:
        me = world.do(accounts.me, alice.caller)
        assert (me.user_id, me.device_name, me.nick, me.administrator) == ("Alice", "laptop", None, True)
        assert me.server.undo_seconds == 600
        assert me.server.limits.conversations_a_call == 100

    def test_a_nick(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        alice.send("C2Cbob")
        for device in (alice, bob, carol):
            device.told()
        assert world.do(accounts.set_nick, alice.caller, " Al\nice ").nick == "Al ice"
        assert [type(event) for event in alice.told()] == [UserChanged]
        [changed] = bob.told()
        assert isinstance(changed, UserChanged)
        assert (changed.user.user_id, changed.user.nick, bob.get("C2CAlice").name) == ("Alice", "Al ice", "Al ice")
        assert carol.told() == []
        world.do(accounts.set_nick, alice.caller, "Al ice")
        assert (alice.told(), bob.told()) == ([], [])
        assert world.do(accounts.set_nick, alice.caller, None).nick is None
        with pytest.raises(InvalidName):
            world.do(accounts.set_nick, alice.caller, "\u2066")


class TestUsers:
    """Finding others."""

    def test_by_the_beginning_of_id_or_nick(self, world: World, alice: Device, bob: Device) -> None:
        world.do(accounts.set_nick, bob.caller, "Robert")
        for q, found in (("AL", ["Alice"]), ("rob", ["bob"]), ("o", []), ("", []), ("%", [])):
            assert [one.user_id for one in world.do(users.find, alice.caller, q).users] == found

    def test_one(self, world: World, alice: Device) -> None:
        assert world.do(users.get, alice.caller, "aLICE").user_id == "Alice"
        with pytest.raises(UserNotFound):
            world.do(users.get, alice.caller, "nobody")

    def test_a_character_that_no_name_has_is_in_no_name(self, world: World, alice: Device) -> None:
        name = "alice\0"
        assert world.do(accounts.password_of, name) is None
        for asked in (users.get, groups.get, devices.revoke):
            with pytest.raises((UserNotFound, GroupNotFound, DeviceNotFound)):
                world.do(asked, alice.caller, name)
        for members in ([name], [name] * 9):
            with pytest.raises(UserNotFound):
                world.do(users.accounts_of, members)
        with pytest.raises(OperationNotFound):
            alice.undo(name)


class TestSettings:
    """What an administrator changes."""

    def test_have_defaults_and_change(self, world: World, alice: Device, bob: Device) -> None:
        before = world.do(settings.get, alice.caller).settings
        assert (before.sync_conversation_deletion, before.undo_seconds, before.registration) == (False, 600, "auto")
        told: list[object] = []

        def job(tx: Transaction) -> None:
            settings.change(tx, alice.caller, ChangeSettings(sync_conversation_deletion=True, undo_seconds=0))
            told.append(tx.settings_changed)

        world.do(job)
        facts = world.do(settings.facts)
        assert told == [facts]
        assert (facts.sync_conversation_deletion, facts.undo_seconds) == (True, 0)
        world.do(settings.change, alice.caller, ChangeSettings(sync_conversation_deletion=False))
        assert world.do(settings.facts).undo_seconds == 0

    def test_are_the_administrators(self, world: World, alice: Device, bob: Device) -> None:
        with pytest.raises(AdministratorOnly):
            world.do(settings.get, bob.caller)
        with pytest.raises(AdministratorOnly):
            world.do(settings.change, bob.caller, ChangeSettings(undo_seconds=0))

    @pytest.mark.parametrize("seconds", [-1, 86_401])
    def test_have_bounds(self, world: World, alice: Device, seconds: int) -> None:
        with pytest.raises(InvalidRequest):
            world.do(settings.change, alice.caller, ChangeSettings(undo_seconds=seconds))
