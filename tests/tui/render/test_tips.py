"""Tips and notices in words."""

import pytest

from tui_chat.protocol.models import Tip, TipKind
from tui_chat.tui.render.tips import tip_text


@pytest.mark.parametrize(
    ("what", "users", "name", "shown"),
    [
        (TipKind.CREATED, [], "x", "bob created the group"),
        (TipKind.JOINED, [], None, "bob joined"),
        (TipKind.INVITED, ["carol", "alice"], None, "bob added carol, you"),
        (TipKind.KICKED, ["alice"], None, "bob removed you"),
        (TipKind.QUIT, [], None, "bob left"),
        (TipKind.DISMISSED, [], None, "bob dismissed the group"),
        (TipKind.RENAMED, [], "#new", "bob named the group #new"),
    ],
)
def test_tips_in_the_group(what: TipKind, users: list[str], name: str | None, shown: str) -> None:
    tip = Tip(what=what, operator="bob", user_id_list=users, group_id="g", name=name)
    assert tip_text(tip, "?", "alice") == shown


def test_notices_name_the_group() -> None:
    tip = Tip(what=TipKind.KICKED, operator="bob", user_id_list=["alice"], group_id="g", name="#ubuntu")
    assert tip_text(tip, "?", "alice", notice=True) == "bob removed you from #ubuntu"


def test_every_kind_has_words_of_its_own() -> None:
    for kind in TipKind:
        tip = Tip(what=kind, operator="bob", user_id_list=["carol"], group_id="g", name="n")
        assert tip_text(tip, "fallback", "alice") != "fallback"
        assert tip_text(tip, "fallback", "alice", notice=True) != "fallback"


def test_without_facts_the_text_itself() -> None:
    assert tip_text(None, "something\nhappened", "alice") == "something happened"


def test_many_people_are_counted_and_nicks_are_used() -> None:
    tip = Tip(what=TipKind.INVITED, operator="bob", user_id_list=[f"u{n}" for n in range(9)])
    assert tip_text(tip, "?", "alice", str.upper) == "BOB added U0, U1, U2, U3, U4 (+4)"
