"""What the machine has found, each as the shortest story in which it happened."""

from collections.abc import Iterator

import pytest

from tui_chat.client import deleting, sending

from .device import Device
from .disk import HELD
from .simulated_network import NONE, Faults
from .world import World


@pytest.fixture
def world() -> Iterator[World]:
    """Everybody in step, deletions told."""
    made = World(1, told=True)
    yield made
    made.close()


def laptop(world: World) -> Device:
    return world.devices[0]


def phone(world: World) -> Device:
    return world.devices[1]


def test_a_question_that_was_lost_is_asked_again_on_the_same_connection(world: World) -> None:
    """The event leaves open how many messages are left, and the request that asks meets with a fault."""
    carol = world.peers[0]
    for _ in range(3):
        world.at_once(lambda: world.write_as(carol, "C2Calice"), 1.0)
    phone(world).link.faults = Faults(request_lost=1.0)
    ids = ["C2Ccarol"]
    world.at_once(
        lambda: laptop(world).do(
            deleting.delete(laptop(world).core, ids, clear_history_message=True, up_to={"C2Ccarol": 2})
        ),
        5.0,
    )
    phone(world).link.faults = NONE
    world.loop.pass_time(60.0)
    assert phone(world).core.state.conversations["C2Ccarol"] == laptop(world).core.state.conversations["C2Ccarol"]


def test_an_answer_of_a_numbering_that_has_ended_is_not_waited_for(world: World) -> None:
    """The server was restored from a backup while the answer to a message was on its way."""
    world.back_up()
    carol = world.peers[0]
    for _ in range(5):
        world.at_once(lambda: world.write_as(carol, "C2Calice"), 1.0)
    link = phone(world).link
    delay = link.delay
    link.delay = lambda: 0.01  # type: ignore[method-assign]
    world.at_once(lambda: phone(world).do(sending.send(phone(world).core, "C2Cbob", "hello")), 0.005)
    link.delay = lambda: 5.0  # type: ignore[method-assign]
    world.at_once(lambda: None, 0.006)
    link.delay = delay  # type: ignore[method-assign]
    world.at_once(world.restore_backup, 60.0)
    assert not phone(world).core.outbox.queue
    world.settle()


def test_an_echo_gets_no_number_in_a_conversation_that_a_reset_took(world: World) -> None:
    """The message was written, then the conversation was deleted elsewhere, and the log was cut short in between."""
    mine, other = laptop(world), phone(world)
    mine.link.faults = Faults(frame_lost=1.0)
    world.at_once(lambda: mine.do(sending.send(mine.core, "C2Cbob", "hello")), 0.5)
    ids = ["C2Cbob"]
    world.at_once(lambda: other.do(deleting.delete(other.core, ids, clear_history_message=True)), 0.5)
    world.at_once(lambda: world.server.trim(0))
    world.at_once(mine.link.cut, 0.0)
    world.settle()
    assert "C2Cbob" not in mine.core.state.conversations
    assert not mine.screen.get("C2Cbob")


def test_what_the_socket_brings_during_a_reload_is_not_taken_back(world: World) -> None:
    """Its list takes two pages, and something is deleted after the first was read."""
    mine, other = laptop(world), phone(world)
    for device in (mine, other):
        device.link.delay = lambda: 0.02  # type: ignore[method-assign]
    world.at_once(lambda: mine.do(mine.core.catch_up.reload()), 0.03)
    ids = ["C2Ccarol"]
    world.at_once(lambda: other.do(deleting.delete(other.core, ids, clear_history_message=True)))
    for _ in range(30):
        world.at_once(lambda: None, 0.005)
    assert "C2Ccarol" not in mine.core.state.conversations
    world.settle()


def test_a_history_that_was_kept_goes_when_a_word_about_something_else_tells_that_it_was_cleared(world: World) -> None:
    """It has no row here, so there is no copy to keep; the deletion that is told of next would clear nothing new."""
    mine, other = laptop(world), phone(world)
    ids = ["C2Ccarol"]

    def held() -> list[int]:
        return [message.message_seq for message in mine.store.history.tail("C2Ccarol", HELD)]

    world.at_once(lambda: world.write_as(world.peers[0], "C2Calice"), 1.0)
    world.at_once(lambda: mine.do(deleting.delete(mine.core, ids, clear_history_message=False)), 1.0)
    assert held(), "the deletion kept it"
    world.at_once(lambda: world.switch(sync=False))
    world.at_once(lambda: other.do(deleting.delete(other.core, ids, clear_history_message=True)), 1.0)
    assert held(), "nobody told of that"
    world.at_once(lambda: other.do(sending.set_flags(other.core, ids, muted=True)), 1.0)
    assert not held()
    world.at_once(lambda: mine.do(deleting.delete(mine.core, ids, clear_history_message=False)), 1.0)
    world.settle()
