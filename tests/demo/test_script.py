"""What peers say: real lines in their order, answers in the right language, the same under the same chance."""

from collections import Counter
from random import Random

from tests.demo.test_archive import small
from tui_chat.demo.excerpt import ALICE, Excerpt
from tui_chat.demo.script import Script


def test_the_same_chance_gives_the_same_talk(excerpt: Excerpt) -> None:
    one, other = (Script(excerpt, Random(7)) for _ in range(2))
    assert [one.next() for _ in range(50)] == [other.next() for _ in range(50)]
    assert one.answer("C2Ccarol") == other.answer("C2Ccarol")


def test_lines_come_in_their_order_and_then_again() -> None:
    script = Script(small(), Random(1))
    said = [script.next() for _ in range(60)]
    group = [one.text for one in said if one is not None and one.conversation_id == "GROUPubuntu"]
    assert group[:4] == ["alice: are you there?", "malice is another word"] * 2


def test_a_line_to_alice_mentions_her() -> None:
    script = Script(small(), Random(1))
    said = [one for _ in range(60) if (one := script.next()) is not None]
    assert {one.mentions for one in said if one.text == "alice: are you there?"} == {(ALICE,)}
    assert {one.mentions for one in said if one.text == "malice is another word"} == {()}


def test_a_later_run_goes_on_where_the_last_one_stopped(excerpt: Excerpt) -> None:
    script = Script(excerpt, Random(3))
    before = [script.from_person("bob") for _ in range(3)]
    after = Script(excerpt, Random(4), said=script.progress).from_person("bob")
    live = next(talk.live for talk in excerpt.talks if talk.partner == 1)
    assert [one.text for one in before if one] == [line.text for line in live[:3]]
    assert after is not None
    assert after.text == live[3].text


def test_something_happens_every_few_seconds_in_some_conversation(excerpt: Excerpt) -> None:
    script = Script(excerpt, Random(5))
    pauses = [script.pause() for _ in range(200)]
    assert 1 <= min(pauses) <= max(pauses) <= 15
    where = Counter(one.conversation_id for _ in range(200) if (one := script.next()))
    assert len(where) >= 5
    assert where["GROUPubuntu"] == max(where.values())


def test_everybody_who_is_written_to_answers_in_their_language(excerpt: Excerpt) -> None:
    script = Script(excerpt, Random(6))
    for talk in excerpt.talks:
        if talk.partner is not None:
            name = excerpt.people[talk.partner].user_id
            reply = script.answer(f"C2C{name}")
            assert reply is not None
            assert (reply.said.speaker, reply.said.conversation_id) == (name, f"C2C{ALICE}")
            assert reply.reading + reply.typing < 6
            assert any("\u4e00" <= character <= "\u9fff" for character in reply.said.text) == talk.chinese


def test_in_a_group_one_of_those_who_speak_there_turns_to_alice() -> None:
    script = Script(small(), Random(8))
    answers = [one.said for _ in range(40) if (one := script.answer("GROUPubuntu"))]
    assert 20 <= len(answers) < 40
    assert {(one.speaker, one.conversation_id, one.mentions) for one in answers} == {("Joe-2", "GROUPubuntu", (ALICE,))}
    assert all(one.text.startswith("alice: ") for one in answers)


def test_nobody_answers_where_nobody_is() -> None:
    script = Script(small(), Random(9))
    for conversation_id in ("C2Cstranger", "GROUPstrange", "GROUPold", "@TIM#SYSTEM"):
        assert [script.answer(conversation_id) for _ in range(10)] == [None] * 10
    assert script.from_person(ALICE) is None
    assert script.from_person("BOB") is not None
