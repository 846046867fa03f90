"""One message as lines of the pane."""

from datetime import UTC

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.widgets.host import DAY, NOW, message
from tui_chat.protocol.models import Message, MessageType, Reaction, Tip, TipKind
from tui_chat.tui.render.cells import line_width
from tui_chat.tui.render.formatting import formatted, highlighted, links
from tui_chat.tui.render.messages import MessageStyle, OwnState, Shown, message_lines
from tui_chat.tui.render.times import Times
from tui_chat.tui.safe import own
from tui_chat.tui.themes import ASCII, UNICODE, Symbols


def style(cells: int = 60, symbols: Symbols = UNICODE) -> MessageStyle:
    return MessageStyle(cells, symbols, Times(NOW, UTC), "alice")


def drawn(shown: Shown, cells: int = 60, symbols: Symbols = UNICODE) -> list[str]:
    lines = message_lines(shown, style(cells, symbols))
    assert all(line_width(line.pieces) <= cells for line in lines)
    return ["".join(piece.text for piece in line.pieces).rstrip() for line in lines]


def test_time_nick_and_text_stand_in_columns() -> None:
    assert drawn(Shown(message=message(1, "check the list", "pelo", ago=0))) == ["12:41 pelo      check the list"]
    assert drawn(Shown(message=message(1, "好", "小林", ago=0))) == ["12:41 小林      好"]
    assert drawn(Shown(message=message(1, "x", "somebody-long", ago=0))) == ["12:41 somebody… x"]


def test_wrapped_lines_stand_under_the_text() -> None:
    assert drawn(Shown(message=message(1, "check the drop-down list at the top", "pelo", ago=0)), 44) == [
        "12:41 pelo      check the drop-down list at",
        "                the top",
    ]


def test_a_narrow_pane_has_no_columns() -> None:
    assert drawn(Shown(message=message(1, "check the drop-down list", "pelo", ago=0)), 18) == [
        "pelo: check the",
        "  drop-down list",
    ]


def test_separators_stand_above() -> None:
    shown = Shown(message=message(1, "hi", ago=DAY), new_day=True, first_new=True)
    day, new, text = drawn(shown, 44)
    assert day == "── Monday 17 November ──────────────────────"
    assert new.startswith("── new ───")
    assert text == "12:41 bob       hi"


def test_states_of_own_messages() -> None:
    mine = message(1, "hi", "alice", ago=0)
    ends = {state: drawn(Shown(message=mine, state=state), 50)[0][-2:] for state in OwnState}
    assert ends == {
        OwnState.NONE: "hi",
        OwnState.SENDING: " ◌",
        OwnState.SENT: " ✓",
        OwnState.READ: "✓✓",
        OwnState.FAILED: "hi",
    }
    assert drawn(Shown(message=mine, state=OwnState.FAILED, reason="the group is muted"), 50) == [
        "12:41 you       hi",
        "                ✗ not sent: the group is muted",
    ]


def test_a_reply_shows_what_it_answers() -> None:
    reply = message(2, "pastebin", ago=0, reply_to=1)
    asked = message(1, "where?", "alice", ago=0)
    assert drawn(Shown(message=reply, quoted=asked))[0] == "12:41 bob       │ you: where?"
    assert drawn(Shown(message=reply))[0] == "12:41 bob       │ an earlier message"


def test_tips_are_said_in_words() -> None:
    tip = message(1, "?", ago=0, type=MessageType.TIP, tip=Tip(what=TipKind.JOINED, operator="carol"))
    assert drawn(Shown(message=tip)) == ["12:41         • carol joined"]


def test_taken_back_and_edited() -> None:
    taken = msgspec.structs.replace(message(1, "secret", ago=0), recalled=True)
    assert drawn(Shown(message=taken)) == ["12:41 bob       message taken back"]
    edited = msgspec.structs.replace(message(1, "better", ago=0), edited_at=NOW)
    assert drawn(Shown(message=edited)) == ["12:41 bob       better (edited)"]


def test_a_hundred_thousand_lines_are_cut() -> None:
    lines = drawn(Shown(message=message(1, "\n" * 100_000, ago=0)))
    assert len(lines) == 201
    assert lines[-1].strip() == "… 99,801 more lines".replace(",", "")


def test_ascii_set() -> None:
    shown = Shown(message=message(1, "hi", "alice", ago=0), state=OwnState.READ, new_day=True, first_new=True)
    assert all(line.isascii() for line in drawn(shown, 44, ASCII))


def styles(text: str, mention: str = "") -> list[tuple[str, str]]:
    return [(piece.text, piece.style) for piece in formatted(own(text), mention)]


def test_light_formatting_keeps_every_sign() -> None:
    assert styles("run `ls -l` now") == [("run ", ""), ("`ls -l`", "code"), (" now", "")]
    assert styles("**really** and *so*") == [("**really**", "bold"), (" and ", ""), ("*so*", "italic")]
    assert styles("- one") == [("-", "bullet"), (" one", "")]
    assert styles("see https://example.org/a_b_c, ok") == [
        ("see ", ""),
        ("https://example.org/a_b_c", "link"),
        (", ok", ""),
    ]
    assert styles("@Alice look, @alice2", "alice") == [("@Alice", "mention"), (" look, @alice2", "")]


def test_what_only_looks_like_formatting_is_left_alone() -> None:
    for text in ("rm *.o *.c", "2*3*4", "__init__ and snake_case_name", "a * b * c", "/usr/*/lib/*", "`", "``"):
        assert styles(text) == [(text, "")], text


@given(st.text(alphabet=st.sampled_from("ab*_`@ ./:你"), max_size=40))
def test_formatting_never_changes_the_text(text: str) -> None:
    assert "".join(piece for piece, _style in styles(text, "a")) == text


@given(st.text(max_size=200), st.text(max_size=20), st.integers(10, 90), st.sampled_from(list(OwnState)))
def test_whatever_the_text(text: str, nick: str, cells: int, state: OwnState) -> None:
    said = Message(
        conversation_id="C2Cbob", message_seq=1, client_id="c", sender="bob", time=NOW, text=text, nick=nick or None
    )
    assert drawn(Shown(message=said, state=state, reason=text), cells)


def test_reactions_ones_own_in_brackets() -> None:
    said = msgspec.structs.replace(
        message(1, "hi", ago=0),
        reactions={"👍": Reaction(count=12), "🎉": Reaction(count=1, user_id_list=["alice"], mine=True)},
    )
    assert drawn(Shown(message=said)) == ["12:41 bob       hi", "                👍 12  [🎉 1]"]


def test_a_change_that_was_refused_stands_below() -> None:
    mine = Shown(message=message(1, "hi", "alice", ago=0), state=OwnState.SENT, refused="too late")
    first, second = drawn(mine, 50)
    assert first.endswith("✓")
    assert second.strip() == "✗ not changed: too late"


def test_who_took_it_back() -> None:
    taken = msgspec.structs.replace(message(1, "", ago=0), recalled=True, recalled_by="carol")
    assert drawn(Shown(message=taken)) == ["12:41 bob       taken back by carol"]


def test_mentions_of_others_look_otherwise_than_ones_own() -> None:
    pieces = formatted(own("@alice and @bob, @carol"), "alice", ["alice", "bob"])
    assert [(text, name) for text, name in pieces if name] == [("@alice", "mention"), ("@bob", "mention-other")]


def test_words_that_are_looked_for() -> None:
    line = highlighted(formatted(own("a Needle in `needles` and hay")), ["needle", "hay"])
    assert [text for text, name in line if name == "found"] == ["Needle", "needle", "hay"]
    assert "".join(text for text, _style in line) == "a Needle in `needles` and hay"


def test_links_are_those_of_the_web_each_once() -> None:
    body = [
        own("see https://a.example/x, or http://b.example"),
        own("ftp://c.example HTTPS://d.example https://a.example/x"),
    ]
    assert links(body) == ["https://a.example/x", "http://b.example"]


@given(
    st.text(alphabet=st.sampled_from("aA*_`@ ./:你İ"), max_size=40),
    st.lists(st.text(min_size=1, max_size=3), max_size=3),
)
def test_highlighting_never_changes_the_text(text: str, words: list[str]) -> None:
    assert "".join(piece for piece, _style in highlighted(formatted(own(text)), words)) == text
