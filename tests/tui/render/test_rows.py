"""One conversation on one line."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.widgets.host import DAY, MINUTE, NOW, conversation, sample
from tui_chat.protocol.models import Conversation, LastMessage, Membership, MessageType, Tip, TipKind
from tui_chat.tui.render.cells import line_width
from tui_chat.tui.render.rows import ConversationRow, RowState, conversation_row, preview_text
from tui_chat.tui.render.times import Times
from tui_chat.tui.themes import ASCII, UNICODE, Symbols

TIMES = Times(NOW, UTC)


def drawn(
    shown: Conversation,
    cells: int = 36,
    symbols: Symbols = UNICODE,
    *,
    cursor: bool = False,
    marked: bool = False,
    state: RowState = RowState.NORMAL,
    reason: str = "",
    stale: bool = False,
    draft: bool = False,
) -> str:
    row = ConversationRow(
        conversation=shown, cursor=cursor, marked=marked, state=state, reason=reason, stale=stale, draft=draft
    )
    line = conversation_row(row, cells, symbols, TIMES, "alice")
    assert line_width(line) == cells
    return "".join(piece.text for piece in line)


def test_the_picture() -> None:
    assert drawn(conversation("bob", unread=2)) == " ● bob                  12:41    2   "[:36]
    assert drawn(conversation("#ubuntu", ago=MINUTE, unread=14, mentions=1), cursor=True, marked=True) == (
        "▌◉ #ubuntu              12:40   14 @"
    )
    assert drawn(conversation("小林", ago=39 * MINUTE)) == "   小林                 12:02       "
    assert drawn(conversation("#planning", ago=DAY, unread=120, pinned=True), marked=True) == (
        " ◉ 📌 #planning         Mon    99+  "
    )
    assert drawn(conversation("carol", membership=Membership.LEFT)).startswith("   carol (left)  ")
    assert drawn(conversation("System", unread=1)).startswith(" ● System  ")


def test_marks_never_rest_on_colour_alone() -> None:
    plain = conversation("bob")
    shown = {
        drawn(plain),
        drawn(plain, cursor=True),
        drawn(plain, marked=True),
        drawn(plain, cursor=True, marked=True),
        drawn(plain, stale=True),
        drawn(plain, draft=True),
        drawn(plain, state=RowState.DELETING),
        drawn(plain, state=RowState.FAILED, reason="no"),
        drawn(conversation("bob", muted=True)),
        drawn(conversation("bob", pinned=True)),
    }
    assert len(shown) == 10


def test_ascii_set_is_ascii() -> None:
    for shown in sample():
        if shown.name.isascii():
            row = drawn(shown, 50, ASCII, cursor=True, marked=True, stale=True, draft=True)
            assert row.isascii()
            assert drawn(shown, 50, ASCII, state=RowState.DELETING).isascii()


def test_a_muted_conversation_is_not_loud() -> None:
    assert "●" not in drawn(conversation("bob", unread=3, muted=True))


def test_unread_by_hand_shows_without_a_count() -> None:
    row = conversation("bob")
    assert (
        drawn(Conversation(**{f: getattr(row, f) for f in row.__struct_fields__} | {"marked_unread": True}))[1] == "●"
    )


def test_a_failure_says_why() -> None:
    assert "✗ too many requests" in drawn(
        conversation("bob"), state=RowState.FAILED, reason="too many requests: wait", cells=36
    )


def test_a_long_name_is_elided_and_what_is_odd_about_it_stays() -> None:
    row = drawn(conversation("#ubuntu-release-party-planning", muted=True), draft=True)
    assert "#ubuntu-releas… 🔕 ✎ 12:41" in row


@pytest.mark.parametrize("cells", [22, 28, 29, 30, 46, 60, 80, 118])
def test_every_width(cells: int) -> None:
    for shown in sample():
        for state in RowState:
            assert drawn(shown, cells, state=state, reason="because").strip()


@given(st.text(max_size=80), st.integers(18, 120), st.sampled_from(list(RowState)))
def test_whatever_the_name(name: str, cells: int, state: RowState) -> None:
    drawn(conversation("x" + name), cells, state=state, reason=name, stale=True, draft=True)


def test_wide_rows_show_the_newest_message_in_a_column() -> None:
    one = drawn(conversation("bob", text="see you"), 80)
    other = drawn(conversation("#planning", text="see you", pinned=True), 80)
    assert one.index("see you") == 30
    assert other.index("bob: see you") == 29  # The pin is one character in two cells.


def test_previews() -> None:
    def last(**values: object) -> LastMessage:
        return LastMessage(message_seq=1, sender="bob", time=NOW, **values)  # type: ignore[arg-type]

    assert preview_text(last(text="hi"), "alice", group=False) == "hi"
    assert preview_text(last(text="hi"), "alice", group=True) == "bob: hi"
    assert preview_text(last(text="hi", nick="Bobby"), "alice", group=True) == "Bobby: hi"
    assert preview_text(last(text="hi"), "bob", group=True) == "you: hi"
    assert preview_text(last(recalled=True), "alice", group=True) == "message taken back"
    tip = Tip(what=TipKind.JOINED, operator="carol")
    assert preview_text(last(type=MessageType.TIP, tip=tip, text="?"), "alice", group=True) == "carol joined"
    assert preview_text(None, "alice", group=True) == ""
