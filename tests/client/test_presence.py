"""Who of those one talks with is there."""

from tests.client.sessions import Sessions, eventually
from tests.servers import LiveServer
from tui_chat.client.changes import PresenceChanged


async def test_those_one_talks_with_are_told_as_they_come_and_unknown_without_a_connection(
    server: LiveServer, sessions: Sessions
) -> None:
    alice = await sessions.register("alice")
    bob = await sessions.register("bob", start=False)
    await bob.session.send_message("C2Calice", "hello")
    await eventually(lambda: "C2Cbob" in alice.session.conversations)
    await alice.session.mark_read("C2Cbob")  # strangers are not told who is there
    await eventually(lambda: not alice.session.queued)
    assert alice.session.online == frozenset()
    await bob.session.start()
    await alice.sees(PresenceChanged, lambda change: change.user_id_list == ["bob"])
    assert alice.session.online == {"bob"}
    await eventually(lambda: bob.session.online == {"alice"}, "alice was there before him")
    server.stop()
    await eventually(lambda: not alice.session.online, "without a connection it is not known")
