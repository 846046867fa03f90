"""What screens and commands may rely on of every session: ours, and the tests' own in the place of a second network."""

from typing import TYPE_CHECKING

import pytest

from tests.client.sessions import Sessions
from tests.tui.fake import FakeSession
from tui_chat.client.interface import Session
from tui_chat.client.session import ChatSession

if TYPE_CHECKING:
    # Held by the type checker, with every signature.
    def ours(session: ChatSession) -> Session:
        return session

    def the_tests_own(session: FakeSession) -> Session:
        return session


async def test_ours_is_one(sessions: Sessions) -> None:
    alice = await sessions.register("alice", start=False)
    assert isinstance(alice.session, Session)


@pytest.mark.parametrize("synced", [True, False])
def test_the_tests_own_is_one(synced: bool) -> None:
    assert isinstance(FakeSession(synced=synced), Session)


async def test_capabilities_follow_the_server_and_the_account(sessions: Sessions) -> None:
    alice = await sessions.register("alice", start=False)
    bob = await sessions.register("bob", start=False)
    assert alice.session.capabilities.administration
    assert not bob.session.capabilities.administration
    assert alice.session.capabilities.undoes_deletions
    await alice.session.change_settings(undo_seconds=0, sync_conversation_deletion=True)
    await bob.session.load()
    assert not bob.session.capabilities.undoes_deletions
    assert bob.session.capabilities.syncs_deletions
