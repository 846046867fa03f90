"""Tokens and passwords are kept apart from conversations: who copies a cache away cannot log in with it."""

from pathlib import Path

from tests.accounts import PASSWORD
from tests.cache.samples import every_byte
from tests.client.sessions import Sessions, eventually


async def test_no_file_of_the_cache_has_a_secret(sessions: Sessions, tmp_path: Path) -> None:
    cache = tmp_path / "alice"
    alice = await sessions.register("alice", cache=cache)
    bob = await sessions.register("bob", device="desk")
    await bob.session.send_message("C2Calice", "hello")
    await eventually(lambda: "C2Cbob" in alice.session.conversations)
    await alice.session.send_message("C2Cbob", "good morning")
    credentials = alice.session.credentials
    await eventually(lambda: b"good morning" in every_byte(cache))
    secrets = (credentials.access_token, credentials.refresh_token, PASSWORD)
    assert not [secret for secret in secrets if secret.encode() in every_byte(cache)]
    await alice.session.close()
    assert not [secret for secret in secrets if secret.encode() in every_byte(cache)]
