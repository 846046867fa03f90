"""The query language: what each word of it matches, and where it says that it was not understood."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.client.query import DAY_MS, KEYS, Fault, QueryError, Row, parse
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, LastMessage, Membership

NOW = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp() * 1000)


def conversation(conversation_id: str, name: str = "", *, days: float = 0, **fields: Any) -> Conversation:
    kind = ConversationType.SYSTEM
    for prefix, one in (("C2C", ConversationType.C2C), ("GROUP", ConversationType.GROUP)):
        if conversation_id.startswith(prefix):
            kind = one
    values = {"time": NOW - int(days * DAY_MS), "message_count": 5, **fields}
    return Conversation(conversation_id=conversation_id, type=kind, name=name or conversation_id, **values)


def last(sender: str, nick: str | None = None) -> LastMessage:
    return LastMessage(message_seq=1, sender=sender, time=NOW, nick=nick)


ROWS = {
    "bob": conversation("C2Cbob", "bob", days=1, unread_count=3, last_message=last("bob")),
    "lin": conversation("C2Cxiaolin", "小林", days=40, message_count=1, last_message=last("xiaolin", "小林")),
    "ubuntu": conversation(
        "GROUPubuntu",
        "#ubuntu help",
        unread_count=120,
        mention_count=2,
        muted=True,
        sent_seq=9,
        last_message=last("alice"),
    ),
    "plans": conversation("GROUPplans", "Plans for 2026", days=2, pinned=True, message_count=1_200),
    "old": conversation("GROUPold", "old crowd", days=800, membership=Membership.LEFT, message_count=0),
    "flagged": conversation("C2Ccarol", "carol", days=8, marked_unread=True, membership=None),
    "system": conversation("@TIM#SYSTEM", "System"),
}


def found(query: str, **more: Any) -> str:
    """Names of the rows that match, in order."""
    read = parse(query, zone=UTC)
    matching = [name for name, row in ROWS.items() if read.matches(Row(row, row.name, "alice", NOW, **more))]
    return " ".join(matching)


ALL = " ".join(ROWS)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ALL),
        ("   ", ALL),
        ("BOB", "bob"),
        ("小林", "lin"),
        ("xiaolin", "lin"),
        ("#ubuntu", "ubuntu"),
        ("ubuntu help", "ubuntu"),
        ("help ubuntu", "ubuntu"),
        ('"help ubuntu"', ""),
        ('"ubuntu help"', "ubuntu"),
        ("bob | carol", "bob flagged"),
        ("bob|carol", "bob flagged"),
        ("type:group old | bob", "bob old"),
        ("-type:group -type:system", "bob lin flagged"),
        ("type:c2c|system", "bob lin flagged system"),
        ("type:C2C|GROUP -left:", "bob lin ubuntu plans flagged"),
        ("type:system|bob", "bob system"),
        ("--bob", "bob"),
        ("unread:", "bob ubuntu flagged"),
        ("unread:no", "lin plans old system"),
        ("unread:>99", "ubuntu"),
        ("unread:3", "bob"),
        ("unread:1", ""),
        ("mentions:", "ubuntu"),
        ("mentions:2..9", "ubuntu"),
        ("older:30d", "lin old"),
        ("older:1y", "old"),
        ("older:30d -older:1y", "lin"),
        ("newer:7d", "bob ubuntu plans system"),
        ("older:2026-02-28", "lin plans old flagged"),
        ("messages:<3", "lin old"),
        ("messages:<=5 messages:>=5", "bob ubuntu flagged system"),
        ("messages:1..5", "bob lin ubuntu flagged system"),
        ("messages:>1000", "plans"),
        ("messages:=1", "lin"),
        ("empty:", "old"),
        ("muted:", "ubuntu"),
        ("muted:no pinned:no unread:yes", "bob flagged"),
        ("pinned:", "plans"),
        ("answered:", "ubuntu"),
        ("answered:no type:c2c", "bob lin flagged"),
        ("left:", "old"),
        ("from:bob", "bob"),
        ("from:小", "lin"),
        ("from:me", "ubuntu"),
        ("12:40", ""),
        ('"type:group"', ""),
        ("FROM:BOB", "bob"),
    ],
)
def test_what_matches(query: str, names: str) -> None:
    assert found(query) == names


def test_drafts_and_copies_are_the_callers_to_know() -> None:
    assert found("draft: | stale:") == ""
    assert found("draft:", draft=True) == ALL
    assert found("stale:yes", stale=True) == ALL


def test_a_date_begins_where_the_reader_is() -> None:
    row = Row(ROWS["plans"], "Plans", "alice", NOW)  # 27 February, 12:00 UTC
    far_east = timezone(timedelta(hours=14))
    assert parse("older:2026-02-28", zone=UTC).matches(row)
    assert not parse("older:2026-02-28", zone=far_east).matches(row)


@pytest.mark.parametrize(
    ("query", "fault", "position", "text"),
    [
        ("bob colour:red", Fault.UNKNOWN_KEY, 5, "colour:"),
        ("-http://x", Fault.UNKNOWN_KEY, 2, "http:"),
        ("muted:maybe", Fault.NOT_YES_OR_NO, 1, "maybe"),
        ("a messages:few", Fault.NOT_A_COUNT, 3, "few"),
        ("unread:maybe", Fault.NOT_A_COUNT_NOR_YES, 1, "maybe"),
        ("-mentions:some", Fault.NOT_A_COUNT_NOR_YES, 1, "some"),
        ("messages:<3..5", Fault.NOT_A_COUNT, 1, "<3..5"),
        ("messages:", Fault.NO_VALUE, 1, "messages:"),
        ("older:", Fault.NO_VALUE, 1, "older:"),
        ("older:soon", Fault.NOT_A_TIME, 1, "soon"),
        ("older:2026-13-01", Fault.NOT_A_TIME, 1, "2026-13-01"),
        ("type:room", Fault.NOT_A_TYPE, 1, "room"),
        ("type:", Fault.NO_VALUE, 1, "type:"),
        ("from:", Fault.NO_VALUE, 1, "from:"),
        ('say "hello', Fault.OPEN_QUOTE, 5, '"hello'),
        ("bob |", Fault.NOTHING_THERE, 5, "|"),
        ("| bob", Fault.NOTHING_THERE, 1, "|"),
        ("bob || carol", Fault.NOTHING_THERE, 6, "|"),
        ("bob -", Fault.NOTHING_THERE, 5, "-"),
    ],
)
def test_an_error_says_what_and_where(query: str, fault: Fault, position: int, text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert (caught.value.fault, caught.value.position, caught.value.text) == (fault, position, text)
    assert f"(at character {position})" in str(caught.value)
    assert ("yes" in str(caught.value)) == ("YES" in fault.name), "what a key takes besides is named"


@given(st.text(alphabet=' |-":abmuted<>=.0123456789dy小' + "\n\t", max_size=40))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    refused = None
    try:
        query = parse(text)
        for row in ROWS.values():
            query.matches(Row(row, row.name, "alice", NOW))
    except QueryError as error:
        refused = error
    assert refused is None or 1 <= refused.position <= len(text)


@pytest.mark.parametrize("key", KEYS)
def test_what_a_minus_leaves_out_is_what_is_found_without_it(key: str) -> None:
    value = {"from:": "me", "type:": "group", "older:": "3d", "newer:": "3d", "messages:": ">3"}.get(key, "")
    without, negated = found(f"{key}{value}").split(), found(f"-{key}{value}").split()
    assert sorted(without + negated) == sorted(ROWS)
