"""Who is told of a deletion: the switch, the calling device, and that nothing leaks while it is off."""

from tui_chat.protocol.events import (
    ConversationChanged,
    ConversationCleared,
    ConversationDeleted,
    ConversationRestored,
    MessageNew,
)

from .world import Device, World


def watermarks(event: object) -> list[tuple[str, int, int]]:
    assert isinstance(event, ConversationDeleted | ConversationCleared)
    return [(one.conversation_id, one.hidden_through, one.cleared_through) for one in event.items]


class TestOff:
    """The default, as in Tencent's console."""

    def test_only_the_calling_device_is_told(self, alice: Device, bob: Device) -> None:
        phone = bob.another()
        alice.send("C2Cbob")
        for device in (bob, phone):
            device.told()
        answer = bob.delete("C2CAlice")
        assert not answer.synced
        assert watermarks(bob.told()[0]) == [("C2CAlice", 1, 1)]
        assert phone.told() == []

    def test_the_others_range_closes_without_content(self, alice: Device, bob: Device) -> None:
        phone = bob.another()
        alice.send("C2Cbob")
        cursor = phone.cursor()
        answer = bob.delete("C2CAlice")
        missed = phone.sync(cursor)
        assert missed.events == []
        assert (missed.first, missed.last, missed.more) == (answer.event_seq, answer.event_seq, False)
        assert phone.sync(missed.cursor).events == []
        assert len(bob.replayed(cursor)) == 1

    def test_history_is_cleared_for_the_account_all_the_same(self, alice: Device, bob: Device) -> None:
        phone = bob.another()
        alice.send("C2Cbob")
        bob.delete("C2CAlice")
        assert phone.history("C2CAlice") == []
        assert phone.listed() == {}
        assert phone.page("C2CAlice").cleared_through == 1

    def test_the_next_message_tells_of_the_watermarks(self, alice: Device, bob: Device) -> None:
        phone = bob.another()
        alice.send("C2Cbob", "old")
        bob.delete("C2CAlice")
        phone.told()
        cursor = phone.cursor()
        alice.send("C2Cbob", "new")
        [event] = phone.told()
        assert isinstance(event, MessageNew)
        assert (event.conversation.hidden_through, event.conversation.cleared_through) == (1, 1)
        assert event.conversation.message_count == 1
        assert phone.replayed(cursor) == [event]

    def test_what_happened_before_shows_no_watermark_of_it(self, alice: Device, bob: Device) -> None:
        phone = bob.another()
        alice.send("C2Cbob", "one")
        cursor = phone.cursor()
        alice.send("C2Cbob", "two")
        bob.flags("C2CAlice", pinned=True)
        bob.delete("C2CAlice", clear=False)
        arrived, pinned = phone.replayed(cursor)
        assert isinstance(arrived, MessageNew)
        assert isinstance(pinned, ConversationChanged)
        for shown in (arrived.conversation, pinned.conversations[0]):
            assert (shown.hidden_through, shown.cleared_through, shown.message_count) == (0, 0, 2)
        assert pinned.conversations[0].pinned

    def test_an_unpinning_is_not_told(self, alice: Device, bob: Device) -> None:
        phone = bob.another()
        alice.send("C2Cbob")
        bob.flags("C2CAlice", pinned=True)
        phone.told()
        bob.delete("C2CAlice")
        assert phone.told() == []

    def test_a_restore_goes_to_everyone(self, alice: Device, bob: Device) -> None:
        phone = bob.another()
        alice.send("C2Cbob")
        batch = bob.delete("C2CAlice").batch_id
        phone.told()
        bob.undo(batch)
        [event] = phone.told()
        assert isinstance(event, ConversationRestored)

    def test_clearing_follows_all_the_same(self, alice: Device, bob: Device) -> None:
        phone = bob.another()
        alice.send("C2Cbob")
        phone.told()
        assert bob.clear("C2CAlice").synced
        assert watermarks(phone.told()[0]) == [("C2CAlice", 0, 1)]

    def test_flags_and_reading_follow_all_the_same(self, alice: Device, bob: Device) -> None:
        phone = bob.another()
        alice.send("C2Cbob")
        phone.told()
        bob.flags("C2CAlice", muted=True)
        bob.read("C2CAlice")
        assert [type(event).__name__ for event in phone.told()] == ["ConversationChanged", "ConversationRead"]


class TestOn:
    """Deletions are synchronised."""

    def test_every_device_is_told(self, world: World, alice: Device, bob: Device) -> None:
        world.set(sync_conversation_deletion=True)
        phone = bob.another()
        alice.send("C2Cbob")
        cursor = phone.cursor()
        for device in (bob, phone):
            device.told()
        answer = bob.delete("C2CAlice")
        assert answer.synced
        [event] = phone.told()
        assert [event] == bob.told()
        assert isinstance(event, ConversationDeleted)
        assert event.device.name == "laptop"
        assert phone.replayed(cursor) == [event]
        assert alice.told()[-1:] != [event]

    def test_when_nothing_moved_only_the_calling_device_is_told(self, world: World, alice: Device, bob: Device) -> None:
        world.set(sync_conversation_deletion=True)
        phone = bob.another()
        alice.send("C2Cbob")
        bob.delete("C2CAlice")
        for device in (bob, phone):
            device.told()
        phone.delete("C2CAlice")
        assert watermarks(phone.told()[0]) == [("C2CAlice", 1, 1)]
        assert bob.told() == []

    def test_each_device_hears_of_what_is_news_to_it(
        self, world: World, alice: Device, bob: Device, carol: Device
    ) -> None:
        phone = bob.another()
        for one in (alice, carol):
            one.send("C2Cbob")
        phone.delete("C2CAlice")
        world.set(sync_conversation_deletion=True)
        for device in (bob, phone):
            device.told()
        bob.delete("C2CAlice", "C2Ccarol")
        told = [one for event in bob.told() for one in watermarks(event)]
        assert sorted(told) == [("C2CAlice", 1, 1), ("C2Ccarol", 1, 1)]
        assert [watermarks(event) for event in phone.told()] == [[("C2Ccarol", 1, 1)]]

    def test_when_only_the_pin_went_every_device_is_told(
        self, world: World, alice: Device, bob: Device, carol: Device
    ) -> None:
        world.set(sync_conversation_deletion=True)
        phone = bob.another()
        for one in (alice, carol):
            one.send("C2Cbob")
        bob.delete("C2CAlice", "C2Ccarol")
        bob.flags("C2Ccarol", pinned=True)
        for device in (bob, phone):
            device.told()
        bob.delete("C2CAlice", "C2Ccarol")
        assert [watermarks(event) for event in phone.told()] == [[("C2Ccarol", 1, 1)]]
        assert sorted(one for event in bob.told() for one in watermarks(event)) == [
            ("C2CAlice", 1, 1),
            ("C2Ccarol", 1, 1),
        ]

    def test_does_not_work_backwards(self, world: World, alice: Device, bob: Device) -> None:
        phone = bob.another()
        alice.send("C2Cbob")
        cursor = phone.cursor()
        bob.delete("C2CAlice")
        world.set(sync_conversation_deletion=True)
        assert phone.replayed(cursor) == []

    def test_switching_off_does_not_untell(self, world: World, alice: Device, bob: Device) -> None:
        world.set(sync_conversation_deletion=True)
        phone = bob.another()
        alice.send("C2Cbob")
        cursor = phone.cursor()
        bob.delete("C2CAlice")
        world.set(sync_conversation_deletion=False)
        assert len(phone.replayed(cursor)) == 1


class TestReplay:
    """What a device finds that was away."""

    def test_a_message_that_was_cleared_meanwhile_is_left_out(self, world: World, alice: Device, bob: Device) -> None:
        world.set(sync_conversation_deletion=True)
        phone = bob.another()
        cursor = phone.cursor()
        alice.send("C2Cbob", "secret")
        bob.delete("C2CAlice")
        alice.send("C2Cbob", "new")
        missed = phone.sync(cursor)
        assert (missed.first, missed.last) == (int(cursor.split(":")[1]) + 1, int(missed.cursor.split(":")[1]))
        assert b"secret" not in b"".join(bytes(raw) for raw in missed.events)
        assert [type(event).__name__ for event in phone.replayed(cursor)] == ["ConversationDeleted", "MessageNew"]

    def test_what_was_restored_is_there_again(self, world: World, alice: Device, bob: Device) -> None:
        world.set(sync_conversation_deletion=True)
        phone = bob.another()
        cursor = phone.cursor()
        alice.send("C2Cbob", "one")
        bob.undo(bob.delete("C2CAlice").batch_id)
        events = phone.replayed(cursor)
        assert [type(event).__name__ for event in events] == [
            "MessageNew",
            "ConversationDeleted",
            "ConversationRestored",
        ]

    def test_previews_are_not_kept_in_the_log(self, world: World, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob", "a very secret word")
        cursor = bob.cursor()
        bob.flags("C2CAlice", pinned=True)
        bob.undo(bob.delete("C2CAlice").batch_id)
        stored = " ".join(row[0] for row in world.rows("SELECT data FROM event"))
        assert "secret" not in stored
        changed, _, restored = bob.replayed(cursor)
        assert isinstance(changed, ConversationChanged)
        assert isinstance(restored, ConversationRestored)
        for shown in (changed.conversations[0], restored.conversations[0]):
            assert shown.last_message is not None
            assert shown.last_message.text == "a very secret word"
