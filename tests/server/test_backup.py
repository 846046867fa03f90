"""Copies of a running server's data, and putting one back."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.accounts import PASSWORD, Device, People, answer_of, path_of, refusal
from tests.servers import START_MS, LiveServer
from tui_chat.protocol.errors import StorageFull
from tui_chat.server.engines import DatabaseInUse, sqlite_files
from tui_chat.server.engines.sqlite_files import NotADatabase
from tui_chat.server.engines.sqlite_restore import restore
from tui_chat.server.engines.sqlite_takeover import TakenOver
from tui_chat.server.options import DATABASE


@pytest.fixture
def alice(people: People) -> Device:
    alice = people.register("alice")
    people.register("bob")
    return alice


def made(server: LiveServer, alice: Device) -> Path:
    """A backup's file."""
    return server.options.data / "backups" / str(alice.post("/v1/admin/backup")["file"])


@pytest.fixture
def put_back(server: LiveServer, alice: Device) -> Iterator["PutBack"]:
    chat = PutBack(server, alice)
    yield chat
    chat.people.close()
    chat.server.stop()


class PutBack:
    """A server whose data is put back to an earlier state."""

    def __init__(self, server: LiveServer, alice: Device) -> None:
        self.server, self.alice = server, alice
        self.people = People(server.url)
        self.times = 0

    def to(self, backup: Path) -> People:
        self.server.stop()
        data = self.server.options.data
        self.times += 1
        self.restored = restore(backup, data, now=START_MS + 1_000 * self.times)
        self.server = LiveServer(data)
        self.people.close()
        self.people = People(self.server.url)
        return self.people

    def same(self, device: Device) -> Device:
        """The device with the tokens that it has."""
        session = {"userID": device.user_id, "deviceID": device.device_id}
        tokens = {"accessToken": device.access_token, "refreshToken": device.refresh_token}
        return Device(self.people.http, session | tokens)


def test_a_backup_is_whole_and_for_its_owner_alone(server: LiveServer, alice: Device) -> None:
    alice.send("C2Cbob", "kept")
    answer = alice.post("/v1/admin/backup")
    directory = server.options.data / "backups"
    backup = directory / answer["file"]
    assert [path.name for path in directory.iterdir()] == [answer["file"]]
    assert backup.stat().st_size == answer["bytes"]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    with sqlite3.connect(backup) as copy:
        assert copy.execute("SELECT text FROM message WHERE type = 0").fetchall() == [("kept",)]
    copy.close()


def test_only_administrators_make_one(server: LiveServer, people: People, alice: Device) -> None:
    bob = people.login("bob")
    assert refusal(lambda: bob.post("/v1/admin/backup")).code == "administrator_only"
    assert not (server.options.data / "backups").exists()


def test_it_holds_one_state_whatever_is_written_meanwhile(server: LiveServer, alice: Device) -> None:
    stop = threading.Event()
    sent = 0

    def write() -> None:
        nonlocal sent
        while not stop.is_set():
            server.clock.advance(1)
            alice.send("C2Cbob", f"{sent}")
            sent += 1

    writing = threading.Thread(target=write)
    writing.start()
    try:
        backups = [made(server, alice) for _ in range(3)]
    finally:
        stop.set()
        writing.join()
    counts = []
    for backup in backups:
        copy = sqlite3.connect(backup)
        messages = [int(row[0]) for row in copy.execute("SELECT text FROM message WHERE type = 0 ORDER BY seq")]
        (last,) = copy.execute("SELECT COALESCE(MAX(last_seq), 0) FROM conversation WHERE kind = 1").fetchone()
        copy.close()
        assert messages == list(range(last)), "without a gap, and as far as its other tables say"
        counts.append(last)
    assert counts == sorted(counts)
    assert counts[-1] <= sent


def test_where_it_cannot_be_written_nothing_is_left(server: LiveServer, alice: Device) -> None:
    (server.options.data / "backups").write_text("not a directory")
    refused = refusal(lambda: alice.post("/v1/admin/backup"))
    assert (refused.status, refused.code) == (503, "unavailable")
    assert alice.send("C2Cbob", "all goes on")


def test_what_came_after_the_backup_is_gone_and_what_was_before_is_back(put_back: PutBack) -> None:
    alice = put_back.alice
    alice.send("C2Cbob", "before")
    backup = made(put_back.server, alice)
    alice.send("C2Cbob", "after")
    alice.clear("C2Cbob")
    epoch = alice.cursor().partition(":")[0]
    put_back.to(backup)
    again = put_back.same(alice)
    assert again.texts("C2Cbob") == ["before"]
    assert again.cursor().partition(":")[0] != epoch
    assert again.sync(f"{epoch}:1")["reset"] == "epoch"
    assert again.send("C2Cbob", "and on")["messageSeq"] == 2
    kept = put_back.restored.aside
    assert kept is not None
    old = sqlite3.connect(kept)
    assert old.execute("SELECT COUNT(*) FROM message WHERE type = 0").fetchone() == (2,)
    old.close()


def test_devices_stay_logged_in_or_out_as_they_were(put_back: PutBack) -> None:
    alice, people = put_back.alice, put_back.people
    lost = people.login("alice", device="lost")
    backup = made(put_back.server, alice)
    alice.remove(f"/v1/devices/{lost.device_id}")
    new = people.login("alice", device="new")
    carol = people.register("carol")
    put_back.to(backup)
    assert put_back.restored.taken_over is not None
    assert put_back.same(alice).get("/v1/me")["userID"] == "alice"
    assert put_back.same(new).get("/v1/me")["deviceName"] == "new"
    assert refusal(lambda: put_back.same(lost).get("/v1/me")).code == "unauthorized"
    assert refusal(lambda: put_back.same(carol).get("/v1/me")).code == "unauthorized", "her account is of later"
    refreshed = put_back.people.http.post("/v1/token/refresh", json={"refreshToken": new.refresh_token})
    assert refreshed.status_code == 200


def test_what_was_ended_for_good_stays_so(put_back: PutBack) -> None:
    alice, people, server = put_back.alice, put_back.people, put_back.server
    bob, dora = people.login("bob"), people.register("dora")
    for text in ("recalled", "removed", "stays"):
        alice.send("C2Cbob", text)
    bob.send("C2Calice", "@alice")
    dora.send("C2Cbob", "old")
    bob.send("C2Calice", "and more")
    backup = made(server, alice)
    alice.send("C2Cbob", "after the backup")
    alice.remove(f"{path_of('C2Cbob')}/messages/1")
    alice.remove(f"/v1/admin/messages/{quote('C2Cbob:alice')}/2")
    done = bob.clear("C2Calice", batchID="final")
    assert not done["failures"]
    bob.remove("/v1/conversations/deletions/final")
    people.register("erin").create_group("later", groupID="later")
    answer_of(dora.request("DELETE", "/v1/me", {"password": PASSWORD}))
    log = [one["what"] for one in alice.get("/v1/admin/audit")["entries"]]
    put_back.to(backup)
    assert put_back.restored.taken_over == TakenOver(erased=1, names=2, withdrawn=2, final=1, demoted=0, invitations=0)
    put_back.server.tidy()
    alice, bob = put_back.same(alice), put_back.same(bob)
    assert alice.texts("C2Cbob") == ["", "", "stays", "@alice", "and more"]
    assert [one.get("recalledBy") for one in alice.history("C2Cbob")[:2]] == [None, "alice"]
    assert bob.texts("C2Calice") == []
    assert bob.conversation("C2Calice")["unreadCount"] == 0
    alice.send("C2Cbob", "a new one")
    assert bob.texts("C2Calice") == ["a new one"], "the numbers of what is gone hide nothing"
    assert bob.conversation("C2Calice")["unreadCount"] == 1
    assert refusal(lambda: put_back.people.login("dora")).code == "wrong_password"
    assert refusal(lambda: bob.send("C2Cdora", "?")).code == "user_erased"
    for name in ("dora", "erin", "ERIN"):
        assert refusal(partial(put_back.people.register, name)).code == "name_taken"
    assert refusal(lambda: alice.create_group("x", groupID="Later")).code == "name_taken"
    assert refusal(lambda: alice.get("/v1/groups/later")).code == "group_not_found"
    assert [one["what"] for one in alice.get("/v1/admin/audit")["entries"]] == log
    assert "message.removed" in log
    frank = put_back.people.register("frank")
    assert frank.create_group("new", "bob")
    assert frank.send("C2Cbob", "all goes on")


def test_a_line_that_was_left_hides_nothing(put_back: PutBack) -> None:
    """Numbers of messages are given out again after a restore: a deletion of others is none of these."""
    alice, bob = put_back.alice, put_back.people.login("bob")
    alice.send("C2Cbob", "first")
    early = made(put_back.server, alice)
    put_back.server.clock.advance(1)
    alice.send("C2Cbob", "left")
    late = made(put_back.server, alice)
    put_back.to(early)
    alice, bob = put_back.same(alice), put_back.same(bob)
    put_back.server.clock.advance(5)
    alice.send("C2Cbob", "instead")
    bob.clear("C2Calice", batchID="final")
    bob.remove("/v1/conversations/deletions/final")
    put_back.to(late)
    assert put_back.same(bob).texts("C2Calice") == ["left"]


def test_rights_that_were_taken_away_do_not_come_back(put_back: PutBack) -> None:
    alice = put_back.alice
    alice.patch("/v1/admin/users/bob", {"administrator": True})
    bob = put_back.people.login("bob")
    used, unused = (alice.post("/v1/admin/invites")["invite"] for _ in range(2))
    of_bob = bob.post("/v1/admin/invites")["invite"]
    alice.patch("/v1/admin/settings", {"registration": "invite"})
    backup = made(put_back.server, alice)
    put_back.people.register("carol", invite=used)
    alice.patch("/v1/admin/users/bob", {"administrator": False})
    people = put_back.to(backup)
    taken = put_back.restored.taken_over
    assert taken is not None
    assert (taken.demoted, taken.invitations) == (1, 2)
    assert refusal(lambda: put_back.same(bob).get("/v1/admin/users")).code == "administrator_only"
    for gone in (used, of_bob):
        assert refusal(partial(people.register, "dave", invite=gone)).code == "registration_closed"
    assert people.register("dave", invite=unused)


def test_whoever_is_left_administers_though_demoted_since(put_back: PutBack) -> None:
    """Of the administrators of the backup none is one any more, and who came after them is not in it."""
    alice, carol = put_back.alice, put_back.people.register
    backup = made(put_back.server, alice)
    alice.patch(f"/v1/admin/users/{carol('carol').user_id}", {"administrator": True})
    alice.patch("/v1/admin/users/alice", {"administrator": False})
    put_back.to(backup)
    assert put_back.same(alice).get("/v1/me")["administrator"]


def test_somebody_administers_what_is_restored(put_back: PutBack) -> None:
    alice = put_back.alice
    backup = made(put_back.server, alice)
    alice.patch("/v1/admin/users/bob", {"administrator": True})
    answer_of(alice.request("DELETE", "/v1/me", {"password": PASSWORD}))
    assert put_back.to(backup).login("bob").get("/v1/me")["administrator"]


def test_into_an_empty_directory(server: LiveServer, alice: Device, tmp_path: Path) -> None:
    alice.send("C2Cbob", "elsewhere")
    restored = restore(made(server, alice), tmp_path / "elsewhere", now=START_MS)
    assert restored.aside is None
    live = LiveServer(tmp_path / "elsewhere")
    people = People(live.url)
    try:
        assert people.login("alice", password=PASSWORD).texts("C2Cbob") == ["elsewhere"]
    finally:
        people.close()
        live.stop()


def test_twice_within_a_second_keeps_both_of_what_was_there(put_back: PutBack) -> None:
    alice = put_back.alice
    alice.send("C2Cbob", "before")
    backup = made(put_back.server, alice)
    alice.send("C2Cbob", "after")
    put_back.server.stop()
    data = put_back.server.options.data
    asides = [restore(backup, data, now=START_MS).aside for _ in range(3)]
    put_back.to(asides[0] or backup)
    assert put_back.people.login("alice").texts("C2Cbob") == ["before", "after"]
    assert len(set(asides)) == 3
    assert all(aside is not None and aside.is_file() for aside in asides)


def test_in_the_place_of_damaged_data_and_its_log(put_back: PutBack) -> None:
    alice = put_back.alice
    alice.send("C2Cbob", "before")
    backup = made(put_back.server, alice)
    alice.send("C2Cbob", "after")
    put_back.server.stop()
    data = put_back.server.options.data
    (data / DATABASE).write_bytes(b"SQLite format 3\0" + b"rubbish" * 5000)
    (data / f"{DATABASE}-wal").write_bytes(b"a log of the database that was damaged" * 100)
    put_back.to(backup)
    assert put_back.restored.taken_over is None
    assert put_back.people.login("alice").texts("C2Cbob") == ["before"]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from tui_chat.server.engines.sqlite_restore import restore

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
restore(Path(sys.argv[1]), Path(sys.argv[2]), now=0)
"""


@pytest.mark.parametrize("part", [0.2, 0.9])
def test_where_the_disk_is_full_nothing_changes_and_nothing_is_left(
    server: LiveServer, alice: Device, part: float
) -> None:
    alice.send("C2Cbob", "kept")
    backup = made(server, alice)
    server.stop()
    data = server.options.data

    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in data.iterdir() if path.is_file() and path.suffix != ".lock"}

    before = files()
    room = str(int(backup.stat().st_size * part))
    failed = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(backup), str(data), room], capture_output=True, text=True, check=False
    )
    assert failed.returncode == 1
    assert "sqlite3." in failed.stderr
    assert files() == before


def test_a_copy_that_fails_leaves_no_journal_either(
    server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copies" / "copy"

    def fail(_connection: sqlite3.Connection, _name: str) -> None:
        # As SQLite leaves it where the disk is full.
        target.with_name(".copy.tui-chat-partial-journal").write_bytes(b"a journal")
        raise StorageFull()

    monkeypatch.setattr(sqlite_files, "check", fail)
    with pytest.raises(StorageFull):
        sqlite_files.copy(server.options.data / DATABASE, target)
    assert not list(target.parent.iterdir())


def test_what_a_killed_copy_left_goes_with_a_later_one(server: LiveServer, tmp_path: Path) -> None:
    now = time.time()
    for name, age in ((".old.tui-chat-partial", 100_000), (".new.tui-chat-partial", 10), (".old.partial", 100_000)):
        (tmp_path / name).write_bytes(b"half a copy")
        os.utime(tmp_path / name, (now - age, now - age))
    (tmp_path / ".old.tui-chat-partial-journal").write_bytes(b"its journal")
    sqlite_files.copy(server.options.data / DATABASE, tmp_path / "copy")
    left = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert left == {"copy", ".new.tui-chat-partial", ".old.partial"}, "that of another copy, and another program's"


def test_a_server_that_runs_is_left_alone(server: LiveServer, alice: Device) -> None:
    backup = made(server, alice)
    with pytest.raises(DatabaseInUse, match="in use by another process"):
        restore(backup, server.options.data, now=START_MS)
    assert alice.send("C2Cbob", "it runs")


def test_another_programs_database_is_not_replaced(server: LiveServer, alice: Device, tmp_path: Path) -> None:
    backup = made(server, alice)
    target = tmp_path / "elsewhere" / DATABASE
    target.parent.mkdir()
    with sqlite3.connect(target) as other:
        other.execute("CREATE TABLE something (else_ TEXT)")
    other.close()
    before = target.read_bytes()
    with pytest.raises(NotADatabase, match="another program's"):
        restore(backup, target.parent, now=START_MS)
    assert [path.name for path in target.parent.iterdir()] == [DATABASE]
    assert target.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"rubbish" * 1000, b"SQLite format 3\0" + b"rubbish" * 1000, None])
def test_a_file_that_is_no_backup_changes_nothing(
    server: LiveServer, alice: Device, tmp_path: Path, content: bytes | None
) -> None:
    alice.send("C2Cbob", "safe")
    server.stop()
    file = tmp_path / "file"
    if content is None:
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE something (else_ TEXT)")
        other.close()
    else:
        file.write_bytes(content)
    before = sorted(path.name for path in server.options.data.iterdir())
    with pytest.raises(NotADatabase):
        restore(file, server.options.data, now=START_MS)
    assert sorted(path.name for path in server.options.data.iterdir()) == before
    live = LiveServer(server.options.data)
    people = People(live.url)
    try:
        assert people.login("alice").texts("C2Cbob") == ["safe"]
    finally:
        people.close()
        live.stop()


def test_a_backup_of_a_newer_version_is_refused(server: LiveServer, alice: Device, tmp_path: Path) -> None:
    backup = made(server, alice)
    with sqlite3.connect(backup) as newer:
        newer.execute("INSERT INTO migration (number, applied) VALUES (9999, 0)")
    newer.close()
    with pytest.raises(RuntimeError, match="schema 9999"):
        restore(backup, tmp_path / "elsewhere", now=START_MS)
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == [f"{DATABASE}.lock"]
