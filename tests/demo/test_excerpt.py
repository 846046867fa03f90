"""The packaged conversations: enough of them, of both kinds, fit to be shown, in a form that the server takes."""

from collections import Counter
from importlib.resources import files
from types import ModuleType

import pytest

from tui_chat.demo.excerpt import ALICE, Excerpt, Talk, load, parse
from tui_chat.protocol import ids, limits
from tui_chat.protocol.text import accept_name, accept_text

DAY = 86_400


def last(talk: Talk) -> int:
    """Seconds before now of the newest message."""
    return -sum(talk.at)


def test_there_is_enough_of_both_kinds(excerpt: Excerpt) -> None:
    groups = [talk for talk in excerpt.talks if talk.group is not None]
    single = [talk for talk in excerpt.talks if talk.partner is not None]
    assert len(excerpt.talks) >= 300
    assert sum(len(talk.text) for talk in excerpt.talks) >= 20_000
    assert len(groups) >= 40
    assert len(single) >= 200
    assert sum(talk.chinese for talk in single) >= 80
    assert len(groups) + len(single) == len(excerpt.talks)


def test_ids_are_valid_and_tell_people_apart(excerpt: Excerpt) -> None:
    for person in excerpt.people:
        assert ids.check_user_id(person.user_id) == person.user_id
        assert person.nick is None or accept_name(person.nick) == person.nick != person.user_id
    assert len({ids.fold(person.user_id) for person in excerpt.people}) == len(excerpt.people)
    assert [person.user_id for person in excerpt.people[:3]] == [ALICE, "bob", "carol"]
    groups = [talk.group for talk in excerpt.talks if talk.group is not None]
    assert all(ids.check_new_group_id(group) for group in groups)
    assert len({ids.fold(group) for group in groups}) == len(groups)
    partners = [talk.partner for talk in excerpt.talks if talk.partner is not None]
    assert len(set(partners)) == len(partners)
    assert 0 not in partners


def test_odd_nicknames_keep_their_spelling(excerpt: Excerpt) -> None:
    nicks = {person.nick for person in excerpt.people if person.nick}
    assert "小林" in nicks
    assert any(set(nick) & set("|[]`{}^") for nick in nicks)


def test_every_line_is_stored_as_it_stands(excerpt: Excerpt) -> None:
    for talk in excerpt.talks:
        assert len(talk.at) == len(talk.senders) == len(talk.text)
        for text in (*talk.text, *(line.text for line in talk.live)):
            assert accept_text(text) == text
            assert len(text) < limits.TEXT_BYTES // 8


def test_nothing_that_should_not_be_shown_is_in_it(excerpt: Excerpt, filters: ModuleType) -> None:
    for talk in excerpt.talks:
        for text in (*talk.text, *(line.text for line in talk.live)):
            assert not filters.is_personal(text), text
            assert not filters.is_obscene(text), text
    for person in excerpt.people:
        assert not filters.is_bot(person.nick or person.user_id), person
        assert filters.is_fit_name(person.nick or person.user_id), person
    for line in (*excerpt.answers.english, *excerpt.answers.chinese):
        assert accept_text(line) == line
        assert filters.may_be_shown(line), line


@pytest.mark.parametrize(
    "text",
    [
        "mail me at joe@example.org",
        "joe (at) example (dot) org",
        "ping 192.0.2.17 works",
        "it is at 192.0.2.17.",
        "host-192-0-2-17.isp.example",
        "inet6 addr: 2001:db8::17/64",
        "fe80::1",
        "HWaddr 00:11:22:33:44:55",
        "call +44 20 7946 0000",
        "(555) 555-0100 is mine",
        "the password is swordfish",
    ],
)
def test_what_is_personal_is_found(filters: ModuleType, text: str) -> None:
    assert filters.is_personal(text)


@pytest.mark.parametrize("text", ["what the f*ck", "sh1t happens", "f u c k this", "fuuuuck", "you b1tch", "卧槽"])
def test_what_is_obscene_is_found_however_it_is_spelled(filters: ModuleType, text: str) -> None:
    assert filters.is_obscene(text)


@pytest.mark.parametrize(
    "text",
    ["sudo apt-get install assistant", "class Document", "it is 12:41:07 now", "version 10.04.1", "好的，谢谢。"],
)
def test_harmless_lines_stay(filters: ModuleType, text: str) -> None:
    assert filters.may_be_shown(text)


def test_times_rise_to_now_and_reach_back_two_years(excerpt: Excerpt) -> None:
    for talk in excerpt.talks:
        assert talk.at[0] <= 0
        assert all(step > 0 for step in talk.at[1:])
        assert last(talk) >= 0
    ends = sorted(last(talk) for talk in excerpt.talks)
    assert ends[0] == 0
    first = max(-talk.at[0] for talk in excerpt.talks)
    assert 700 * DAY <= first <= 730 * DAY
    for most, some in ((DAY, 20), (7 * DAY, 50), (60 * DAY, 120)):
        assert sum(end <= most for end in ends) >= some
    assert sum(end > 365 * DAY for end in ends) >= 60


def test_people_write_at_the_pace_of_people(excerpt: Excerpt) -> None:
    minutes = Counter(time // 60_000 for talk in excerpt.talks for time in talk.times(10**12))
    assert max(minutes.values()) <= 40


def test_it_is_a_mailbox_that_wants_cleaning(excerpt: Excerpt) -> None:
    talks = excerpt.talks
    assert {talk.ended for talk in talks} == {"", "left", "kicked", "dismissed"}
    assert sum(talk.ended == "left" for talk in talks) >= 8
    assert 3 <= sum(talk.pinned for talk in talks) <= 8
    assert sum(talk.muted and talk.unread > 99 for talk in talks) >= 3
    assert sum(talk.unread > 0 for talk in talks) >= 40
    assert sum(len(talk.text) == 1 for talk in talks) >= 20
    assert sum(talk.partner is not None and 0 not in talk.senders for talk in talks) >= 15
    for talk in talks:
        assert 0 not in talk.senders[len(talk.senders) - talk.unread :], "writing reads what stands before it"


def test_alice_takes_part_and_bob_is_lively(excerpt: Excerpt) -> None:
    written = sum(talk.senders.count(0) for talk in excerpt.talks)
    assert written >= 3_000
    assert sum(0 in talk.senders for talk in excerpt.talks) >= 250
    bob = next(talk for talk in excerpt.talks if talk.partner == 1)
    assert last(bob) < 300
    assert bob.unread
    assert len(bob.live) >= 10
    assert {line.sender for line in bob.live} == {1}
    main = excerpt.talks[0]
    assert main.name == "#ubuntu"
    assert all(line.sender != 0 for talk in excerpt.talks for line in talk.live)


def test_where_it_comes_from_is_said() -> None:
    notice = files("tui_chat.demo").joinpath("data", "NOTICE").read_text("utf-8")
    for said in ("Kummerfeld", "Ubuntu IRC logs", "CC BY 4.0", "KdConv", "Zhou", "Apache License 2.0", "Changes:"):
        assert said in notice


def test_a_damaged_file_is_refused() -> None:
    data = files("tui_chat.demo").joinpath("data", "excerpt.jsonl.gz").read_bytes()
    assert len(data) < 1_000_000
    import gzip

    lines = gzip.decompress(data).splitlines()
    with pytest.raises(ValueError, match="cut short"):
        parse(gzip.compress(b"\n".join(lines[:-1])))
    with pytest.raises(ValueError, match="format"):
        parse(gzip.compress(lines[0].replace(b'"format":1', b'"format":2', 1)))


def test_loading_gives_the_same_each_time(excerpt: Excerpt) -> None:
    assert load() == excerpt
