"""Finding messages: what counts as found, for whom, and that nothing is missed on the way into the index."""

import random

import pytest

from tui_chat.protocol.errors import ChatError, ConversationNotFound, InvalidRequest
from tui_chat.protocol.limits import RECALL_SECONDS, SEARCH_CHARACTERS, SEARCH_WORDS
from tui_chat.server.operations import importing, indexing, search, signatures

from .world import Device, World


def index(world: World) -> None:
    """Let everything be indexed."""
    world.pass_seconds(indexing.QUIET_MS / 1000)
    world.tidy()
    assert world.rows("SELECT COUNT(*) FROM conversation WHERE indexed_through < last_seq") == [(0,)]
    assert world.rows("SELECT COUNT(*) FROM conversation WHERE unindexed = 1") == [(0,)]
    assert world.rows("SELECT COUNT(*) FROM search_block WHERE signature IS NULL") == [(0,)]


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("hello", True),
        ("HELLO", True),
        ("ell", True),
        ("o", True),
        ("world hello", True),
        ("  hello \t world ", True),
        ("hello moon", False),
        ("hellos", False),
        ("helloworld", False),
        ("世界", True),
        ("世", True),
        ("你好", True),
        ("好世", True),
        ("界你", False),
        ("月", False),
        ("月球", False),
        ("straße", True),
        ("STRASSE", True),
        ("ＷＩＤＥ", True),
        ("wide", True),
        ("👍", True),
        ("👎", False),
        ("100%", True),
        ("_", True),
        ("%", True),
        ("'", True),
    ],
)
def test_words_anywhere_in_any_case(
    world: World, alice: Device, bob: Device, q: str, found: bool, indexed: bool
) -> None:
    text = "Hello, world! 你好世界 Straße Ｗｉｄｅ 👍 100% it's a_b"
    alice.send("C2Cbob", "zzz")
    alice.send("C2Cbob", text)
    if indexed:
        index(world)
    assert bob.found(q) == ([text] if found else [])


def test_the_newest_come_first_across_conversations(world: World, alice: Device, bob: Device, carol: Device) -> None:
    alice.create("g", "bob", "carol")
    for number in range(30):
        world.pass_seconds(1)
        sender, to = [(alice, "C2Cbob"), (carol, "GROUPg"), (bob, "C2CAlice")][number % 3]
        sender.send(to, f"word {number}")
        if number == 20:
            index(world)
    wanted = [f"word {number}" for number in reversed(range(30))]
    assert bob.found("word") == wanted
    assert bob.found("word", limit=1) == wanted
    assert bob.found("word", limit=7) == wanted
    assert bob.found("word", conversation_id="C2CALICE") == [text for text in wanted if int(text[5:]) % 3 != 1]
    first = bob.search("word", limit=2)
    assert [one.conversation_id for one in first.messages] == ["C2CAlice", "GROUPg"]
    alice.send("C2Cbob", "word newer")
    following = bob.search("word", limit=2, cursor=first.next)
    assert [one.text for one in following.messages] == ["word 27", "word 26"]


def test_what_is_found_is_the_message_as_history_has_it(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one", mentions=["bob"])
    bob.react("C2CAlice", sent.message_seq, "👍")
    alice.edit("C2Cbob", sent.message_seq, "two")
    [found] = bob.search("two").messages
    assert found == bob.message("C2CAlice", sent.message_seq)


@pytest.mark.parametrize("indexed", [False, True])
class TestWhatIsNotSeenIsNotFound:
    """Watermarks, membership, recall, edit, erasure."""

    def test_others(self, world: World, alice: Device, bob: Device, carol: Device, indexed: bool) -> None:
        alice.create("g", "bob")
        alice.send("C2Cbob", "secret")
        alice.send("GROUPg", "secret")
        if indexed:
            index(world)
        assert carol.found("secret") == []
        with pytest.raises(ConversationNotFound):
            carol.search("secret", conversation_id="GROUPg")
        with pytest.raises(ConversationNotFound):
            carol.search("secret", conversation_id="C2CAlice")

    def test_what_was_cleared(self, world: World, alice: Device, bob: Device, indexed: bool) -> None:
        for text in ("word one", "word two", "word three"):
            alice.send("C2Cbob", text)
        if indexed:
            index(world)
        batch = bob.delete("C2CAlice", up_to={"C2CAlice": 2}).batch_id
        assert bob.found("word") == ["word three"]
        assert len(alice.found("word")) == 3
        bob.undo(batch)
        assert len(bob.found("word")) == 3
        bob.delete("C2CAlice", clear=False)
        assert len(bob.found("word")) == 3, "what was kept is found"

    def test_what_was_said_while_one_was_not_there(
        self, world: World, alice: Device, bob: Device, indexed: bool
    ) -> None:
        alice.create("g")
        alice.send("GROUPg", "word 1")
        alice.invite("g", "bob")
        alice.send("GROUPg", "word 2")
        bob.quit("g")
        alice.send("GROUPg", "word 3")
        if indexed:
            index(world)
        assert bob.found("word") == ["word 2"]
        bob.join_group("g")
        alice.send("GROUPg", "word 4")
        assert bob.found("word") == ["word 4", "word 2"]
        bob.quit("g")
        alice.send("GROUPg", "word 5")
        if indexed:
            index(world)
        assert bob.found("word") == bob.found("word", conversation_id="GROUPg") == ["word 4", "word 2"]

    def test_what_was_recalled(self, world: World, alice: Device, bob: Device, indexed: bool) -> None:
        sent = alice.send("C2Cbob", "secret")
        if indexed:
            index(world)
            assert world.now - sent.time < RECALL_SECONDS * 1000
        alice.recall("C2Cbob", sent.message_seq)
        assert alice.found("secret") == bob.found("secret") == []

    def test_what_was_edited(self, world: World, alice: Device, bob: Device, indexed: bool) -> None:
        sent = alice.send("C2Cbob", "former")
        if indexed:
            index(world)
        alice.edit("C2Cbob", sent.message_seq, "present")
        for _ in range(2):
            assert bob.found("former") == []
            assert bob.found("present") == ["present"]
            index(world)

    def test_an_edit_after_one_has_gone(self, world: World, alice: Device, bob: Device, indexed: bool) -> None:
        alice.create("g", "bob")
        sent = alice.send("GROUPg", "word before")
        bob.quit("g")
        alice.edit("GROUPg", sent.message_seq, "word after")
        if indexed:
            index(world)
        assert bob.found("word") == ["word before"]
        assert bob.found("after") == []
        assert bob.found("before") == bob.found("before", conversation_id="GROUPg") == ["word before"]
        assert alice.found("before") == []
        assert alice.found("after") == ["word after"]
        bob.join_group("g")
        assert bob.found("before") == []
        assert bob.found("after") == ["word after"]

    def test_tips_and_notices(self, world: World, alice: Device, bob: Device, indexed: bool) -> None:
        alice.create("g", "bob", name="word")
        if indexed:
            index(world)
        assert bob.found("word") == bob.found("created") == bob.found("added") == []


def test_erased_bodies_leave_nothing_in_the_index(world: World, alice: Device, bob: Device) -> None:
    for number in range(100):
        alice.send("C2Cbob", f"字典{number}" if number < 80 else "other")
    index(world)
    grams = signatures.grams_of(["字典"])
    held = [row[0] for row in world.rows("SELECT signature FROM search_block")]
    assert any(signatures.may_hold(one, grams) for one in held)
    for device, name in ((alice, "C2Cbob"), (bob, "C2CAlice")):
        device.erase_now(device.delete(name, up_to={name: 80}).batch_id)
    index(world)
    blocks = world.rows("SELECT first_seq, last_seq, signature FROM search_block")
    assert [row[:2] for row in blocks] == [(65, 100)]
    assert not signatures.may_hold(blocks[0][2], grams)
    assert len(bob.found("other")) == 20


def test_the_index_is_cut_into_blocks_without_a_gap(world: World, alice: Device, bob: Device) -> None:
    rng = random.Random(5)
    sent = 0
    for _ in range(30):
        for _ in range(rng.randrange(1, 40)):
            sent += 1
            alice.send("C2Cbob", f"n{sent}! " + "x" * rng.choice([1, 10, 3000]))
        if rng.random() < 0.5:
            index(world)
        else:
            world.tidy()
    index(world)
    blocks = world.rows("SELECT first_seq, last_seq FROM search_block ORDER BY id")
    assert [first for first, _ in blocks] == [1, *[last + 1 for _, last in blocks[:-1]]]
    assert blocks[-1][1] == sent
    assert max(last - first + 1 for first, last in blocks) <= indexing.BLOCK_MESSAGES
    for number in (1, 2, sent // 2, sent):
        assert [text.split()[0] for text in bob.found(f"n{number}!")] == [f"n{number}!"]


def test_sending_does_no_indexing_and_tidying_a_bounded_piece(world: World, alice: Device) -> None:
    letters = [
        importing.ArchivedMessage(sender="bob", to="alice", time=number, text=f"letter {number}")
        for number in range(2_000)
    ]
    people = [importing.ArchivedUser(user_id="bob")]
    world.do(importing.import_archive, importing.Archive(users=people, messages=letters))
    assert len(alice.found("letter")) == 2_000
    assert world.do(indexing.advance)
    [(through,)] = world.rows("SELECT MAX(indexed_through) FROM conversation")
    assert indexing.MESSAGES <= through <= indexing.MESSAGES + indexing.BLOCK_MESSAGES
    assert alice.found("letter 1999") == ["letter 1999"]
    assert alice.found("letter 77") == [f"letter {number}" for number in reversed(range(2_000)) if "77" in str(number)]


def test_whatever_is_written_is_noted_as_not_indexed(world: World, alice: Device, bob: Device) -> None:
    """Once; what every message changed would be one page more in each commit."""

    def unindexed() -> set[str]:
        noted, found = (
            {row[0] for row in world.rows(f"SELECT s.folded FROM conversation c JOIN state s ON {what}")}
            for what in (
                "s.conversation = c.id AND c.unindexed = 1",
                "s.conversation = c.id AND c.indexed_through < c.last_seq",
            )
        )
        assert noted == found
        return noted

    assert unindexed() == set()
    for _ in range(2):
        alice.send("C2Cbob")
        assert unindexed() == {"c2cbob", "c2calice"}
        bob.send("C2Calice")
        unindexed()
        index(world)
        assert unindexed() == set()
    alice.create("g", "bob")
    assert "groupg" in unindexed(), "a tip"
    index(world)
    alice.send("GROUPg")
    assert unindexed() == {"groupg"}
    index(world)
    alice.set_role("g", "bob", "admin")
    assert len(unindexed()) == 2, "a tip, and a notice"
    for number in range(indexing.MESSAGES + 2 * indexing.BLOCK_MESSAGES):
        bob.send("C2Calice", f"n{number}")
    world.do(indexing.advance)
    assert "c2cbob" in unindexed(), "there is more to do"
    index(world)
    letters = [importing.ArchivedMessage(sender="bob", to="alice", time=1, text="letter")]
    world.do(importing.import_archive, importing.Archive(users=[], messages=letters))
    assert unindexed() == {"c2cbob", "c2calice"}


def test_long_messages_are_taken_in_by_their_length(world: World, alice: Device, bob: Device) -> None:
    """Otherwise whoever sends meanwhile waits for a quarter of a second."""
    for number in range(100):
        alice.send("C2Cbob", f"number{number} " + "x" * 3_000)
    calls, through = 0, 0
    while world.do(indexing.advance):
        calls += 1
        [(now,)] = world.rows("SELECT MAX(indexed_through) FROM conversation")
        assert 0 < now - through <= (indexing.CHARACTERS + indexing.BLOCK_CHARACTERS) // 3_000
        through = now
    assert calls >= 100 * 3_000 // (indexing.CHARACTERS + indexing.BLOCK_CHARACTERS)
    [(through,)] = world.rows("SELECT MAX(indexed_through) FROM conversation")
    assert 100 - through < indexing.TAIL
    assert [text.split()[0] for text in bob.found("number99")] == ["number99"]


def test_one_call_reads_a_bounded_number_and_goes_on(
    world: World, alice: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "READ_MOST", 100)
    people = [importing.ArchivedUser(user_id=f"user{number}") for number in range(20)]
    letters = [
        importing.ArchivedMessage(
            sender=f"user{number % 20}", to="alice", time=number // 7, text="needle" if number % 90 == 1 else "hay"
        )
        for number in range(1_000)
    ]
    world.do(importing.import_archive, importing.Archive(users=people, messages=letters))
    for _ in range(2):
        first = alice.search("needle")
        assert first.next is not None
        assert len(first.messages) < 12
        cursor: str | None = None
        times = []
        while True:
            answer = alice.search("needle", cursor=cursor)
            times += [one.time for one in answer.messages]
            cursor = answer.next
            if cursor is None:
                break
        assert times == sorted((number // 7 for number in range(1_000) if number % 90 == 1), reverse=True)
        index(world)
        monkeypatch.setattr(search, "READ_MOST", 30)


@pytest.mark.parametrize(
    ("q", "more", "error"),
    [
        ("", {}, InvalidRequest),
        (" \t\n\u202e", {}, InvalidRequest),
        ("x" * (SEARCH_CHARACTERS + 1), {}, InvalidRequest),
        (" ".join(f"w{number}" for number in range(SEARCH_WORDS + 1)), {}, InvalidRequest),
        ("x", {"limit": 0}, InvalidRequest),
        ("x", {"limit": 101}, InvalidRequest),
        ("x", {"cursor": "nonsense"}, InvalidRequest),
        ("x", {"cursor": "1-2"}, InvalidRequest),
        ("x", {"conversation_id": "nonsense"}, InvalidRequest),
        ("x", {"conversation_id": "C2Cnobody"}, ConversationNotFound),
    ],
)
def test_what_cannot_be_looked_for(alice: Device, q: str, more: dict[str, object], error: type[ChatError]) -> None:
    with pytest.raises(error):
        alice.search(q, **more)


def test_what_was_said_while_the_clock_was_ahead_comes_first_however_much_followed(
    world: World, alice: Device, bob: Device
) -> None:
    """Nothing of it is indexed yet, and of a long tail only the end was asked for its times."""
    alice.send("C2Cbob", "needle of now")
    world.pass_seconds(3_600)
    bob.send("C2CAlice", "needle from ahead")
    world.pass_seconds(-3_000)
    for number in range(search.UNINDEXED + 10):
        bob.send("C2CAlice", f"hay {number}")
    alice.create("g")
    world.pass_seconds(600)
    for number in range(3):
        alice.send("GROUPg", f"needle in the group {number}")
    assert alice.search("needle", limit=1).messages[0].text == "needle from ahead"
    assert len(alice.found("needle", limit=1)) == 5


def test_against_reading_everything(world: World, alice: Device, bob: Device, carol: Device) -> None:
    """Random texts of few characters, edits, recalls, clears, at random moments of indexing."""
    rng = random.Random(11)
    alphabet = "ab 你好世é"
    alice.create("g", "bob", "carol")
    for step in range(400):
        sender = rng.choice([alice, bob, carol])
        world.pass_seconds(rng.choice([0, 0, 1, 30]))
        kind = rng.random()
        if kind < 0.8:
            text = "".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 12))).strip() or "b"
            sender.send("GROUPg", text)
        elif kind < 0.9:
            own = [one for one in sender.page("GROUPg", limit=20).messages if one.sender == sender.id and one.text]
            own = [one for one in own if one.tip is None]
            if own:
                target = rng.choice(own).message_seq
                text = f"edited{rng.choice(alphabet)}{step}"
                if rng.random() < 0.5 or world.now - own[-1].time > RECALL_SECONDS * 1000:
                    sender.edit("GROUPg", target, text)
                elif own[-1].message_seq == target:
                    sender.recall("GROUPg", target)
        elif kind < 0.93:
            sender.clear("GROUPg", up_to={"GROUPg": max(0, sender.get("GROUPg").newest_seq - 60)})
        else:
            world.tidy()
    for reader in (alice, bob, carol):
        everything = [one for one in reader.page("GROUPg", limit=100).messages if one.tip is None]
        oldest = everything[0].message_seq
        for q in ("a", "b", "你", "好世", "ab", "é", "edited", "a 你", "b好"):
            words = signatures.folded(q).split()
            wanted = [one.text for one in everything if all(word in signatures.folded(one.text) for word in words)]
            found = []
            answer = reader.search(q, limit=100)
            found += [one.text for one in answer.messages if one.message_seq >= oldest]
            assert sorted(found) == sorted(wanted[-100:]), q


def test_what_was_written_before_the_clock_was_set_back(alice: Device, bob: Device, carol: Device) -> None:
    world = alice.world
    world.pass_seconds(60)
    bob.send("C2CAlice", "a needle from ahead")
    world.pass_seconds(-60)
    bob.send("C2CAlice", "of no interest")
    for number in range(5):
        world.pass_seconds(1)
        carol.send("C2CAlice", f"needle {number}")
    expected = ["a needle from ahead", *(f"needle {number}" for number in reversed(range(5)))]
    assert alice.found("needle", limit=2) == expected
    world.pass_seconds(100)
    world.tidy()
    assert alice.found("needle", limit=2) == expected
