"""Every tip and notice is said from its facts, in the group and outside it."""

import pytest

from tui_chat.protocol.models import Tip, TipKind
from tui_chat.tui.render.tips import tip_text

IN_THE_GROUP = [
    (TipKind.CREATED, {}, "ann created the group"),
    (TipKind.JOINED, {}, "you joined"),
    (TipKind.INVITED, {}, "ann added you"),
    (TipKind.ACCEPTED, {}, "ann let you join"),
    (TipKind.QUIT, {}, "ann left"),
    (TipKind.KICKED, {}, "ann removed you"),
    (TipKind.DISMISSED, {}, "ann dismissed the group"),
    (TipKind.TRANSFERRED, {}, "ann made you the owner"),
    (TipKind.RENAMED, {}, "ann named the group Plans"),
    (TipKind.ROLE, {"role": "admin"}, "ann made you an administrator"),
    (TipKind.ROLE, {"role": "member"}, "ann made you an ordinary member again"),
    (TipKind.MUTED, {}, "ann muted the group: only its owner and administrators can write"),
    (TipKind.UNMUTED, {}, "ann let everybody write again"),
    (TipKind.JOIN_RULE, {"join": "free"}, "ann let everybody join who wants to"),
    (TipKind.JOIN_RULE, {"join": "approval"}, "ann changed who may join: the owner or an administrator decides"),
    (TipKind.JOIN_RULE, {"join": "closed"}, "ann closed the group: only who is added joins"),
]
NOTICES = [
    (TipKind.INVITED, {}, "ann added you to Plans"),
    (TipKind.KICKED, {}, "ann removed you from Plans"),
    (TipKind.DISMISSED, {}, "ann dismissed Plans"),
    (TipKind.TRANSFERRED, {}, "ann made you the owner of Plans"),
    (TipKind.ROLE, {"role": "admin"}, "ann made you an administrator of Plans"),
    (TipKind.ROLE, {"role": "member"}, "ann made you an ordinary member of Plans again"),
    (TipKind.APPLIED, {}, "ann asks to join Plans"),
    (TipKind.APPLIED, {"text": "please"}, "ann asks to join Plans: please"),
    (TipKind.ACCEPTED, {}, "ann let you join Plans"),
    (TipKind.DECLINED, {}, "ann declined to let you join Plans"),
]


@pytest.mark.parametrize(("what", "facts", "said"), IN_THE_GROUP)
def test_in_the_group(what: TipKind, facts: dict[str, str], said: str) -> None:
    assert tip_text(tip(what, facts), "?", "bob") == said


@pytest.mark.parametrize(("what", "facts", "said"), NOTICES)
def test_outside_it(what: TipKind, facts: dict[str, str], said: str) -> None:
    assert tip_text(tip(what, facts), "?", "bob", notice=True) == said


def test_every_kind_is_said() -> None:
    said = {what for what, _, _ in IN_THE_GROUP + NOTICES}
    assert said == set(TipKind) - {TipKind.OTHER}


def test_what_is_not_known_says_its_own_text() -> None:
    assert tip_text(tip(TipKind.OTHER, {}), "ann painted the group", "bob") == "ann painted the group"
    assert tip_text(tip(TipKind.JOIN_RULE, {}), "ann changed who may join", "bob") == "ann changed who may join"


def test_without_facts_the_text_itself() -> None:
    assert tip_text(None, "something\nhappened", "alice") == "something happened"


def test_without_a_name_the_group_goes_by_its_id() -> None:
    kicked = Tip(what=TipKind.KICKED, operator="ann", user_id_list=["bob"], group_id="g")
    assert tip_text(kicked, "?", "bob", notice=True) == "ann removed you from g"


def test_who_joined_is_who_did_it_where_nobody_is_named() -> None:
    assert tip_text(Tip(what=TipKind.JOINED, operator="carol"), "?", "bob") == "carol joined"


def test_what_an_applicant_writes_cannot_reach_the_terminal() -> None:
    hostile = tip(TipKind.APPLIED, {"text": "\x1b]52;c;aGk=\x07\u202egood\nbye"})
    assert tip_text(hostile, "?", "bob", notice=True) == "ann asks to join Plans: ]52;c;aGk=good bye"


def test_many_people_are_counted_and_nicks_are_used() -> None:
    tip = Tip(what=TipKind.INVITED, operator="bob", user_id_list=["alice", *(f"u{n}" for n in range(8))])
    assert tip_text(tip, "?", "alice", str.upper) == "BOB added you, U0, U1, U2, U3 (+4)"
    preview = Tip(what=TipKind.INVITED, operator="bob", user_id_list=["u0", "u1"], user_count=2_000)
    assert tip_text(preview, "?", "alice") == "bob added u0, u1 (+1998)"


def tip(what: TipKind, facts: dict[str, str]) -> Tip:
    return Tip(what=what, operator="ann", user_id_list=["bob"], group_id="g", name="Plans", **facts)  # type: ignore[arg-type]
