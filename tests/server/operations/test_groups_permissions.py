"""Who can do what with a group: every operation, by everybody who can stand to it in any way."""

from collections.abc import Callable

import pytest

from tui_chat.protocol.errors import (
    ApplicationNotFound,
    ChatError,
    ConversationNotFound,
    Forbidden,
    GroupMuted,
    GroupNotFound,
    NotAMember,
    OwnerCannotQuit,
)
from tui_chat.server.operations import conversations, groups

from .world import Device, World

Expected = dict[str, type[ChatError] | None]

OPERATIONS: dict[str, Callable[[Device], object]] = {
    "look": lambda one: one.world.do(groups.get, one.caller, "g"),
    "list members": lambda one: one.members("g"),
    "read": lambda one: one.page("GROUPg"),
    "send": lambda one: one.send("GROUPg"),
    "type": lambda one: one.world.do(conversations.may_type, one.caller, "GROUPg"),
    "rename": lambda one: one.change_group("g", name="another"),
    "set the rule": lambda one: one.change_group("g", join="free"),
    "invite": lambda one: one.invite("g", "newcomer"),
    "list applications": lambda one: one.waiting("g"),
    "accept": lambda one: one.decide("g", "applicant", accept=True),
    "decline": lambda one: one.decide("g", "applicant", accept=False),
    "mute": lambda one: one.mute_all("g"),
    "give a role": lambda one: one.set_role("g", "victim", "admin"),
    "transfer": lambda one: one.transfer("g", "victim"),
    "kick a member": lambda one: one.kick("g", "victim"),
    "kick an admin": lambda one: one.kick("g", "deputy"),
    "kick the owner": lambda one: one.kick("g", "owner"),
    "kick oneself": lambda one: one.kick("g", one.id),
    "quit": lambda one: one.quit("g"),
    "dismiss": lambda one: one.dismiss("g"),
}

FORMER: Expected = dict.fromkeys(OPERATIONS, NotAMember) | {"look": None, "read": None}
OUTSIDERS = FORMER | {"read": ConversationNotFound, "type": ConversationNotFound}
NO_GROUP = dict.fromkeys(OPERATIONS, GroupNotFound) | {"read": ConversationNotFound, "type": ConversationNotFound}
MEMBER: Expected = dict.fromkeys(OPERATIONS, Forbidden) | dict.fromkeys(
    ("look", "list members", "read", "send", "type", "quit"), None
)
ADMIN: Expected = dict.fromkeys(OPERATIONS) | dict.fromkeys(
    ("give a role", "transfer", "kick an admin", "kick the owner", "kick oneself", "dismiss"), Forbidden
)
OWNER: Expected = dict.fromkeys(OPERATIONS) | {
    "kick the owner": Forbidden,
    "kick oneself": Forbidden,
    "quit": OwnerCannotQuit,
}
ENDED: Expected = dict.fromkeys(OPERATIONS, GroupNotFound) | {
    "look": None,
    "read": None,
    "send": NotAMember,
    "type": NotAMember,
    "list members": NotAMember,
    "list applications": NotAMember,
}
"""After the dismissal, for those who were there."""
EXPECTED: dict[str, Expected] = {
    "outsider": OUTSIDERS,
    "applicant": OUTSIDERS,
    "left": FORMER,
    "kicked": FORMER,
    "member": MEMBER,
    "admin": ADMIN,
    "owner": OWNER,
}


@pytest.fixture
def people(world: World) -> dict[str, Device]:
    """One of each kind, by what they are, and some whom things are done to."""
    names = ("owner", "admin", "deputy", "member", "victim", "left", "kicked", "outsider", "applicant", "newcomer")
    people = {name: world.join(name) for name in names}
    owner = people["owner"]
    owner.create("g", "admin", "deputy", "member", "victim", "left", "kicked", join="approval")
    for name in ("admin", "deputy"):
        owner.set_role("g", name, "admin")
    people["left"].quit("g")
    owner.kick("g", "kicked")
    people["applicant"].join_group("g")
    return people


class Attempts:
    """Tries one thing after the other, each from the same beginning."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.store.mark()

    def of(self, device: Device) -> dict[str, type[ChatError] | None]:
        """What came of each operation."""
        found = {}
        for name, operation in OPERATIONS.items():
            found[name] = refusal(operation, device)
            self._world.store.go_back()
        return found


@pytest.fixture
def attempts(world: World, people: dict[str, Device]) -> Attempts:
    return Attempts(world)


@pytest.mark.parametrize("who", EXPECTED)
def test_who_can_do_what(people: dict[str, Device], attempts: Attempts, who: str) -> None:
    assert attempts.of(people[who]) == EXPECTED[who]


def test_after_the_end_what_was_there_is_read_and_nothing_done(people: dict[str, Device], world: World) -> None:
    people["owner"].dismiss("g")
    for who in ("member", "admin", "owner"):
        assert {name: refusal(one, people[who]) for name, one in OPERATIONS.items()} == ENDED
    for who in ("outsider", "applicant"):
        assert {name: refusal(one, people[who]) for name, one in OPERATIONS.items()} == NO_GROUP
    assert world.rows("SELECT * FROM application") == []


@pytest.mark.parametrize(("who", "refused"), [("member", True), ("admin", False), ("owner", False)])
@pytest.mark.parametrize("operation", ["send", "type"])
def test_in_a_muted_group_write_its_owner_and_administrators(
    people: dict[str, Device], who: str, operation: str, refused: bool
) -> None:
    people["admin"].mute_all("g")
    check(people[who], operation, GroupMuted if refused else None)
    people["admin"].mute_all("g", False)
    check(people[who], operation, None)


@pytest.mark.parametrize("rule", ["free", "closed"])
def test_where_nobody_approves_any_member_can_add(people: dict[str, Device], rule: str) -> None:
    people["owner"].change_group("g", join=rule)
    people["member"].invite("g", "newcomer")
    assert people["owner"].members("g")["newcomer"] == "member"
    for who in ("outsider", "left"):
        with pytest.raises((NotAMember, GroupNotFound)):
            people[who].invite("g", "outsider")


def test_what_an_administrator_may_ends_with_the_role(people: dict[str, Device]) -> None:
    people["owner"].set_role("g", "admin", "member")
    for operation in OPERATIONS:
        if MEMBER[operation] is Forbidden:
            check(people["admin"], operation, Forbidden)


def test_a_refusal_changes_nothing(people: dict[str, Device], world: World) -> None:
    tables = ("chat_group", "state", "application", "message", "event")
    before = [world.rows(f"SELECT * FROM {table}") for table in tables]
    for who, expected in EXPECTED.items():
        for operation, error in expected.items():
            if error is not None:
                check(people[who], operation, error)
    assert [world.rows(f"SELECT * FROM {table}") for table in tables] == before


def test_there_is_nothing_to_decide_about_who_did_not_apply(people: dict[str, Device]) -> None:
    for accept in (True, False):
        with pytest.raises(ApplicationNotFound):
            people["owner"].decide("g", "outsider", accept=accept)


def refusal(operation: Callable[[Device], object], device: Device) -> type[ChatError] | None:
    try:
        operation(device)
    except ChatError as error:
        return type(error)
    return None


def check(device: Device, operation: str, error: type[ChatError] | None) -> None:
    assert refusal(OPERATIONS[operation], device) is error
