"""While the bus or the database is away nothing is lost: what others write comes within seconds, and at once again when
it is back."""

import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.accounts import Device, People, path_of, refusal
from tests.buses import PAUSE_SECONDS, eventually, nats_cluster, nats_server
from tests.databases import PostgresServer, postgres_server
from tests.servers import LiveServer
from tui_chat.protocol import events, limits
from tui_chat.server import bus
from tui_chat.server.bus.pauses import Pauses

from .servers import Servers, ephemeral, servers

FOUND_SECONDS = 8.0
"""In which a comparison every 2 s finds what was not told, on a machine that is busy."""
AT_ONCE = 5.0
"""Seconds, on such a machine: half of what lies between two comparisons while there is a bus."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pings a second apart, so that a bus that stalls is found out within two."""
    from tui_chat.server.bus import nats, postgres

    for module in (bus, nats, postgres):
        monkeypatch.setattr(module, "PING_SECONDS", 1.0)
        monkeypatch.setattr(module, "DEADLINE_SECONDS", 1.0)


def health(there: Servers, number: int) -> tuple[int, str]:
    answer = there.people[number].http.get("/healthz")
    return answer.status_code, answer.json().get("bus", "")


@pytest.mark.slow
def test_without_nats_everything_comes_a_little_later(postgres: PostgresServer, tmp_path: Path) -> None:
    with nats_server() as nats, servers(tmp_path, postgres.new_database(), nats.address) as two:
        admin = two.people[0].register("admin")
        alice, bob = two.couple("b")
        phone = two.people[1].login(alice.user_id)
        name = f"C2C{bob.user_id}"
        assert phone.get("/v1/me")
        with bob.stream() as stream, phone.stream() as revoked:
            nats.kill()
            eventually(two.down, "the loss is noticed")
            assert health(two, 0) == (200, "down")
            alice.send(name, "while it is away")
            assert stream.event("message.new", FOUND_SECONDS)["message"]["text"] == "while it is away"
            alice.remove(f"/v1/devices/{phone.device_id}")
            admin.patch("/v1/admin/settings", {"undoSeconds": 1234})
            assert revoked.closed(FOUND_SECONDS) == events.CLOSE_REVOKED
            assert refusal(lambda: phone.get("/v1/me")).status == 401
            assert ephemeral(stream, "settings.changed", FOUND_SECONDS)["server"]["undoSeconds"] == 1234
            cursor = bob.cursor()
            alice.send(name, "to a request that waits")
            assert bob.sync(cursor, wait=FOUND_SECONDS)["events"]
            nats.start()
            eventually(two.up, "the bus is back")
            assert health(two, 1) == (200, "up")
            stream.event("message.new", FOUND_SECONDS)
            alice.send(name, "it is back")
            assert stream.event("message.new", AT_ONCE)["message"]["text"] == "it is back"


@pytest.mark.slow
def test_a_nats_that_stands_still_is_found_out(postgres: PostgresServer, tmp_path: Path) -> None:
    with nats_server() as nats, servers(tmp_path, postgres.new_database(), nats.address) as two:
        alice, bob = two.couple("b")
        with bob.stream() as stream:
            nats.pause()
            try:
                alice.send(f"C2C{bob.user_id}", "into the void")
                eventually(two.down, "its silence is noticed")
                stream.event("message.new", FOUND_SECONDS)
                with bob.stream() as late:  # Its subscription cannot be confirmed.
                    alice.send(f"C2C{bob.user_id}", "and again")
                    late.event("message.new", FOUND_SECONDS)
            finally:
                nats.resume()
            eventually(two.up, "the bus is back")


@pytest.mark.slow
def test_of_a_cluster_of_nats_one_server_is_enough(postgres: PostgresServer, tmp_path: Path) -> None:
    with nats_cluster(3) as nats:
        addresses = ",".join(one.address for one in nats)
        with servers(tmp_path, postgres.new_database(), addresses, size=3) as three:
            alice, bob = three.couple("b")
            carol = three.at(2, bob)
            with bob.stream() as first, carol.stream() as second:
                for number, server in enumerate(nats[:2]):
                    server.kill()
                    alice.send(f"C2C{bob.user_id}", f"{number}")
                    for stream in (first, second):
                        assert stream.event("message.new")["message"]["text"] == f"{number}"
                    eventually(three.up, "they use another one")
                alice.send(f"C2C{bob.user_id}", "at once")
                for stream in (first, second):
                    assert stream.event("message.new", AT_ONCE)["message"]["text"] == "at once"


@pytest.mark.slow
def test_a_database_that_crashes_is_waited_for(tmp_path: Path) -> None:
    with postgres_server(fsync=True) as postgres, servers(tmp_path, postgres.new_database(), None) as two:
        alice, bob = two.couple("b")
        name, sent = f"C2C{bob.user_id}", 0
        with bob.stream() as stream, alice.stream() as own:
            postgres.stop("immediate")
            for device in (alice, bob, alice):
                began = time.monotonic()
                refused = refusal(lambda device=device: device.get("/v1/conversations"))  # type: ignore[misc]
                assert (refused.status, int(refused.headers["retry-after"]) >= 1) == (503, True)
                assert refusal(lambda: alice.send(name, "no")).status == 503
                assert time.monotonic() - began < AT_ONCE, "nobody waits for it"
            assert health(two, 0)[0] == 503
            eventually(two.down, "the bus went with it")
            postgres.start()
            while sent < 3:
                sent += sends(alice, name, f"number {sent}")
            for each in (stream, own):
                heard = [each.event("message.new")["message"]["text"] for _ in range(3)]
                assert heard == [f"number {number}" for number in range(3)]
            eventually(two.up, "the bus is back")
            alice.send(name, "at once")
            assert stream.event("message.new", AT_ONCE)["message"]["text"] == "at once"


def test_a_database_that_ends_the_bus_connections_is_connected_to_again(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with servers(tmp_path, postgres.new_database(), None) as two:
        alice, bob = two.couple("b")
        with bob.stream() as stream:
            breaks = [live.running.services.exchange.bus.counts for live in two.live]
            two.live[0].read(
                lambda tx: tx.all(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    " AND datname = current_database() AND query LIKE ?",
                    "LISTEN%",
                )
            )
            eventually(lambda: all(one.breaks == 1 for one in breaks), "both have noticed")
            alice.send(f"C2C{bob.user_id}", "meanwhile")
            stream.event("message.new", FOUND_SECONDS)
            eventually(two.up, "the bus is back")


def test_what_one_process_writes_while_its_own_way_is_cut_is_found_when_it_is_back(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others' bus was there all the time, so that they had no reason to look."""
    monkeypatch.setattr(limits, "POSITION_CHECK_SECONDS", 3_600.0)
    monkeypatch.setattr(Pauses, "next", lambda pauses: 0.5)
    address = postgres.new_database()
    with ExitStack() as stack:
        live = [
            LiveServer(tmp_path / name, database=address, bus=f"{address}&application_name={name}")
            for name in ("first", "second")
        ]
        for one in live:
            stack.callback(one.stop)
        people = [stack.enter_context(closing(People(one.url))) for one in live]
        two = Servers(live, people)
        eventually(two.up, "the servers know each other")
        alice, bob = two.couple("b")
        way = live[0].running.services.exchange.bus
        with bob.stream() as stream:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'first'"
            live[1].read(lambda tx: tx.all(cut))
            eventually(lambda: way.counts.breaks == 1, "it has noticed")
            alice.send(f"C2C{bob.user_id}", "meanwhile")
            assert not way.up
            assert stream.event("message.new")["message"]["text"] == "meanwhile"


def sends(device: Device, conversation_id: str, text: str) -> bool:
    """Whether the message was taken; what is not sure is sent again with the same clientID."""
    answer = device.request(
        "POST", f"{path_of(conversation_id)}/messages", {"clientID": text.replace(" ", "-"), "text": text}
    )
    assert answer.status_code in (200, 503), answer.text
    time.sleep(PAUSE_SECONDS)
    return answer.status_code == 200
