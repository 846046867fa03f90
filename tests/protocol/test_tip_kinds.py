"""Tips of a newer server are read, not refused: their message has a text of its own."""

from tui_chat.protocol.models import Tip, TipKind
from tui_chat.protocol.wire import decode, encode


def test_a_kind_of_a_newer_server_is_another() -> None:
    assert decode(b'{"what":"painted","operator":"ann"}', Tip).what is TipKind.OTHER


def test_the_kinds_that_are_known_come_back_as_they_were() -> None:
    for kind in TipKind:
        assert decode(encode(Tip(what=kind, operator="ann")), Tip).what is kind
