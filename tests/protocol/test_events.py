"""Events travel in ranges; what this version does not know is counted and skipped."""

import msgspec
import pytest

from tui_chat.protocol import events
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, Message
from tui_chat.protocol.wire import decode, encode

MESSAGE = Message(conversation_id="C2Cbob", message_seq=7, client_id="x", sender="bob", time=1, text="hi")
CONVERSATION = Conversation(conversation_id="C2Cbob", type=ConversationType.C2C, name="bob")
DEVICE = events.EventDevice(device_id="d1", name="laptop")


@pytest.mark.parametrize(
    "event",
    [
        events.MessageNew(event_seq=1, message=MESSAGE, conversation=CONVERSATION),
        events.ConversationDeleted(
            event_seq=2,
            items=[events.WatermarkItem(conversation_id="C2Cbob", hidden_through=7, cleared_through=7)],
            clear_history_message=True,
            operation_id="o",
            batch_id="b",
            undo_seconds=600,
            device=DEVICE,
        ),
        events.ConversationRestored(event_seq=3, conversations=[CONVERSATION], batch_id="b", device=DEVICE),
        events.ConversationRead(event_seq=4, conversation_id="C2Cbob", peer_read_seq=7),
        events.DeviceRevoked(event_seq=5, device_id="d1"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_comes_out_as_it_went_in(event: events.Event) -> None:
    sent = events.EventRange(
        first=event.event_seq, last=event.event_seq, cursor="e:1", events=[events.raw_event(event)]
    )
    frame: object = decode(encode(sent), events.ServerFrame)  # type: ignore[arg-type]
    assert isinstance(frame, events.EventRange)
    assert frame.read() == [event]


def test_the_names_on_the_wire_are_the_documented_ones() -> None:
    raw = msgspec.json.decode(encode(events.MessageNew(event_seq=41, message=MESSAGE, conversation=CONVERSATION)))
    assert raw["kind"] == "message.new"
    assert raw["eventSeq"] == 41
    assert raw["message"]["conversationID"] == "C2Cbob"
    assert raw["message"]["from"] == "bob"
    assert raw["message"]["clientID"] == "x"


def test_an_unknown_kind_is_counted() -> None:
    event = events.decode_event(b'{"kind":"poll.created","eventSeq":9,"question":"?"}')
    assert event == events.Unknown(event_seq=9, kind="poll.created")


def test_a_known_kind_misshapen_is_not_taken_for_an_unknown_one() -> None:
    with pytest.raises(msgspec.ValidationError):
        events.decode_event(b'{"kind":"message.new","eventSeq":9}')


def test_unknown_fields_are_ignored_by_readers_and_refused_in_requests() -> None:
    assert events.decode_event(b'{"kind":"device.revoked","eventSeq":1,"deviceID":"d","more":1}')
    with pytest.raises(msgspec.ValidationError):
        decode(b'{"t":"hello","since":null,"more":1}', events.ClientFrame)  # type: ignore[arg-type]
