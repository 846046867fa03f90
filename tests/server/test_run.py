"""Starting and stopping a server."""

import asyncio
import json
import signal
import socket
import sqlite3
import ssl
import stat
import time
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.accounts import DEADLINE, Device, People
from tests.servers import CHEAP, LiveServer, ServerProcess
from tui_chat.protocol import events
from tui_chat.server.run import DATABASE, GRACE_SECONDS, CannotServe, Listening, ServerOptions, serve

CERTIFICATE = Path(__file__).with_name("localhost.pem")
OTHER_CERTIFICATE = Path(__file__).with_name("other-localhost.pem")


async def test_serve_says_where_and_stops_when_told(tmp_path: Path) -> None:
    ready: asyncio.Future[Listening] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    options = ServerOptions(port=0, data=tmp_path / "data", passwords=CHEAP)
    task = asyncio.create_task(serve(options, ready=ready.set_result, stop=stop))
    url = (await ready).url
    stop.set()
    await task
    assert url.startswith("http://127.0.0.1:")
    port = int(url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


async def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotServe, match=f"port {port}") as refused:
            await serve(ServerOptions(port=port, data=tmp_path / "data"))
    assert "\n" not in str(refused.value)


async def test_an_address_of_another_machine_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match=r"192\.0\.2\.1"):
        await serve(ServerOptions(host="192.0.2.1", port=0, data=tmp_path / "data", insecure=True))


async def test_a_second_server_on_the_same_data_is_refused(server: LiveServer) -> None:
    with pytest.raises(CannotServe) as refused:
        await serve(ServerOptions(port=0, data=server.options.data))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("damage", ["noise", "newer", "a page"])
async def test_a_database_that_cannot_be_used_is_one_clear_line(tmp_path: Path, damage: str) -> None:
    data = tmp_path / "data"
    path = data / DATABASE
    LiveServer(data).stop()
    match damage:
        case "noise":
            path.write_bytes(b"no database at all" * 1000)
        case "newer":
            with closing(sqlite3.connect(path)) as database, database:
                database.execute("INSERT INTO migration (number, applied) VALUES (9999, 0)")
        case _:
            with path.open("r+b") as file:
                file.seek(100)  # the tree of the schema, behind the file's head
                file.write(b"\xff" * 400)
    with pytest.raises(CannotServe) as refused:
        await serve(ServerOptions(port=0, data=data))
    assert "\n" not in str(refused.value)
    assert ("update it" if damage == "newer" else f"{path} cannot be used") in str(refused.value)
    assert ("admin restore" in str(refused.value)) is (damage != "newer")


@pytest.mark.parametrize("tables", [["bookmark"], ["migration"], ["meta", "migration", "account"]])
@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_another_programs_database_is_one_clear_line_and_stays_as_it_is(
    tmp_path: Path, mode: str, tables: list[str]
) -> None:
    path = tmp_path / DATABASE
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA journal_mode={mode}")
        for table in tables:
            database.execute(f"CREATE TABLE {table} (name, number)")
    before = path.read_bytes()
    with pytest.raises(CannotServe, match="another program's database; nothing was changed") as refused:
        asyncio.run(serve(ServerOptions(port=0, data=tmp_path)))
    assert "\n" not in str(refused.value)
    assert [one.name for one in tmp_path.iterdir()] == [DATABASE]
    assert path.read_bytes() == before


async def test_a_data_directory_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, said in ((tmp_path / "file", "no directory"), (tmp_path / "file" / "below", "cannot be made")):
        with pytest.raises(CannotServe, match=said) as refused:
            await serve(ServerOptions(port=0, data=path))
        assert str(path) in str(refused.value)


def test_data_is_for_its_owner_alone(server: LiveServer) -> None:
    assert stat.S_IMODE(server.options.data.stat().st_mode) == 0o700
    files = [path for path in server.options.data.iterdir() if path.is_file()]
    assert len(files) >= 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_over_ipv6(tmp_path: Path) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.fail("this machine has no IPv6 loopback")
    live = LiveServer(tmp_path / "six", host="::1")
    people = People(live.url)
    try:
        assert live.url.startswith("http://[::1]:")
        assert people.register("alice").get("/v1/me")
    finally:
        people.close()
        live.stop()


def test_over_tls(tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "tls", tls_cert=CERTIFICATE, tls_key=CERTIFICATE)
    try:
        assert live.url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(CERTIFICATE))
        with httpx.Client(base_url=live.url, verify=trust, trust_env=False) as http:
            assert http.get("/healthz").json()["status"] == "ok"
            body = {"userID": "alice", "password": "correct horse", "deviceName": "x"}
            token = http.post("/v1/register", json=body).json()["accessToken"]
        headers = {"Authorization": f"Bearer {token}"}
        address = live.url.replace("https", "wss") + "/v1/stream"
        with connect(address, ssl=trust, additional_headers=headers, proxy=None, compression=None) as stream:
            stream.send('{"t":"hello","since":null}')
            assert json.loads(stream.recv(timeout=10))["t"] == "welcome"
    finally:
        live.stop()


async def test_a_certificate_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    for path in (nonsense, tmp_path / "missing.pem"):
        with pytest.raises(CannotServe, match=path.name) as refused:
            await serve(ServerOptions(port=0, data=tmp_path / "data", tls_cert=path, tls_key=path))
        assert "\n" not in str(refused.value)


def test_a_process_ends_gracefully_at_sigterm(server_process: ServerProcess) -> None:
    people = People(server_process.url)
    try:
        alice = people.register("alice")
        with alice.stream() as stream:
            assert server_process.terminate() == 0
            assert stream.closed() == events.CLOSE_RESTART
    finally:
        people.close()


def test_a_process_ends_gracefully_at_ctrl_c(server_process: ServerProcess) -> None:
    assert server_process.end(signal.SIGINT) == 0


def test_a_process_that_was_killed_starts_again_with_what_was_acknowledged(server_process: ServerProcess) -> None:
    people = People(server_process.url)
    try:
        alice, bob = people.register("alice"), people.register("bob")
        alice.send("C2Cbob", "kept")
        server_process.restart()
        assert bob.texts("C2Calice") == ["kept"]
        assert alice_again(people).texts("C2Cbob") == ["kept"]
    finally:
        people.close()


def alice_again(people: People) -> Device:
    return people.login("alice")


def shown(live: LiveServer) -> str:
    """The certificate that a server shows."""
    host, _, port = live.url.removeprefix("https://").rpartition(":")
    return ssl.get_server_certificate((host, int(port)), timeout=DEADLINE)


def test_a_new_certificate_is_taken_and_a_bad_one_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pair = tmp_path / "pair.pem"
    pair.write_bytes(CERTIFICATE.read_bytes())
    live = LiveServer(tmp_path / "tls", tls_cert=pair, tls_key=pair)
    try:
        first = shown(live)
        pair.write_text("nonsense")
        live.running.read_certificates()
        assert "stays as it was" in caplog.text
        assert shown(live) == first
        pair.write_bytes(OTHER_CERTIFICATE.read_bytes())
        live.running.read_certificates()
        assert shown(live) != first
    finally:
        live.stop()


def test_sighup_does_not_end_a_server(server_process: ServerProcess) -> None:
    process = server_process._process
    assert process is not None
    process.send_signal(signal.SIGHUP)
    people = People(server_process.url)
    try:
        assert people.register("alice").get("/v1/me")["userID"] == "alice"
    finally:
        people.close()
    assert server_process.terminate() == 0


def test_a_second_ctrl_c_ends_it_at_once(server_process: ServerProcess) -> None:
    host, port = server_process.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as slow:
        slow.sendall(b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        process = server_process._process
        assert process is not None
        with httpx.Client(base_url=server_process.url, trust_env=False) as http, suppress(httpx.TransportError):
            assert http.get("/healthz").status_code == 200, "what came before is under way"
            process.send_signal(signal.SIGINT)
            while http.get("/healthz").status_code == 200:
                pass
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) != 0
        assert time.monotonic() - began < 0.8 * GRACE_SECONDS, "it does not wait for what is under way"
