"""`tui-chat doctor`: what is wrong is told, with what to do; what is right is not made a problem of."""

import os
import pty
import threading
import time
from pathlib import Path

import pytest

from tests.accounts import DEADLINE
from tests.buses import free_ports
from tests.databases import PostgresServer
from tests.servers import LiveServer
from tui_chat.cli import keys
from tui_chat.config import Paths

from .conftest import Run, objects

CERTIFICATE = Path(__file__).parents[1] / "server" / "localhost.pem"


def found(run: Run, *words: str) -> tuple[int, dict[str, dict[str, object]]]:
    code, output, _ = run("doctor", "--json", *words)
    return code, {str(check["what"]): check for check in objects(output)}


def test_where_all_is_well_it_says_so(accounts: Run, server: LiveServer) -> None:
    server.clock.jump(now_beside(server))
    assert accounts("login", "--server", server.url, "--user", "alice")[0] == 0
    code, checks = found(accounts)
    assert [check for check in checks.values() if not check["ok"]] == []
    assert code == 0
    assert server.url in str(checks["server"]["found"])
    assert "alice" in str(checks["account"]["found"])
    assert "signed in" in str(checks["session"]["found"])
    output = accounts("doctor")[1]
    assert all(line.startswith("ok") for line in output.splitlines())


def now_beside(server: LiveServer) -> float:
    """Seconds from the test server's clock to the machine's."""
    return time.time() - server.clock() / 1000


def test_a_clock_that_is_off_is_a_problem(accounts: Run, server: LiveServer) -> None:
    server.clock.jump(now_beside(server) - 90)
    code, checks = found(accounts)
    assert code == 1
    assert not checks["clock"]["ok"]
    assert "+90" in str(checks["clock"]["found"]) or "+89.9" in str(checks["clock"]["found"])
    assert checks["clock"]["todo"]


def test_a_bus_that_is_away_is_a_problem(accounts: Run, postgres: PostgresServer, tmp_path: Path) -> None:
    nowhere = f"nats://127.0.0.1:{free_ports(1)[0]}"
    live = LiveServer(tmp_path / "one", database=postgres.new_database(), bus=nowhere)
    try:
        code, checks = found(accounts, live.url)
        assert code == 1
        assert checks["server"]["ok"], "it works all the same"
        assert "late" in str(checks["bus"]["found"])
        assert "--bus" in str(checks["bus"]["todo"])
    finally:
        live.stop()


def test_what_is_wrong_on_this_machine(accounts: Run, home: Path) -> None:
    paths = Paths.of_user()
    paths.settings_file.parent.mkdir(parents=True)
    paths.settings_file.write_text("[screen]\ncolour = true\n")
    (paths.data / "accounts").chmod(0o755)
    [token] = (paths.data / "accounts").glob("main.json")
    token.chmod(0o644)
    code, checks = found(accounts)
    assert code == 1
    assert "line 2" in str(checks["settings"]["found"])
    assert "chmod 700" in str(checks["data"]["todo"])
    assert "chmod 600" in str(checks["account"]["todo"])


def test_a_server_that_is_away_is_one_line(accounts: Run, server: LiveServer) -> None:
    server.stop()
    code, checks = found(accounts)
    assert code == 1
    assert not checks["server"]["ok"]
    assert "clock" not in checks


def test_without_an_account_it_says_how_to_get_one(run: Run) -> None:
    code, checks = found(run)
    assert code == 1
    assert "login" in str(checks["account"]["todo"])


def test_a_server_can_be_looked_at_without_an_account(run: Run, server: LiveServer) -> None:
    _, checks = found(run, server.url)
    assert checks["server"]["ok"]
    assert "account" not in checks


def test_a_server_is_named_as_for_every_other_command(run: Run, server: LiveServer) -> None:
    for words in (("doctor", "--server", server.url), ("--server", server.url, "doctor")):
        _, output, said = run(*words, "--json")
        assert said == ""
        checks = {str(check["what"]): check for check in objects(output)}
        assert checks["server"]["ok"]
        assert "account" not in checks


def test_who_is_named_with_the_server_is_signed_in(accounts: Run, server: LiveServer) -> None:
    server.clock.jump(now_beside(server))
    _, checks = found(accounts, "--server", server.url, "--user", "carol")
    assert "signed in" in str(checks["session"]["found"])
    assert accounts("doctor", "--user", "carol")[0] == 2


def test_a_certificate_of_ones_own_ca_and_how_it_is_trusted(
    accounts: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveServer(tmp_path / "tls", tls_cert=CERTIFICATE, tls_key=CERTIFICATE)
    try:
        code, checks = found(accounts, live.url)
        assert code == 1
        assert "SSL_CERT_FILE" in str(checks["server"]["todo"])
        code, _, said = accounts("register", "--server", live.url, "--user", "dave")
        assert code == 3
        assert "its certificate is not trusted here: self-signed certificate" in said
        assert "SSL_CERT_FILE" in said
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert found(accounts, live.url)[1]["server"]["ok"]
    finally:
        live.stop()


def test_https_where_there_is_none_is_said_in_words(run: Run, server: LiveServer) -> None:
    _, checks = found(run, server.url.replace("http:", "https:"))
    assert "speaks no TLS" in str(checks["server"]["found"])
    assert "SSL" not in str(checks["server"]["found"])


@pytest.mark.parametrize(
    ("answer", "extended"),
    [(b"\x1b[?0u\x1b[?62;4c", True), (b"\x1b[?62;4c", False), (b"", None), (b"\x1b[?0u", True), (b"uc", None)],
)
def test_a_terminal_is_asked_what_keys_it_tells(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, extended: bool | None
) -> None:
    outer, inner = pty.openpty()

    def terminal() -> None:
        asked = b""
        while not asked.endswith(b"\x1b[c"):
            asked += os.read(outer, 64)
        os.write(outer, answer)

    answering = threading.Thread(target=terminal)
    answering.start()
    with open(inner, "r+b", buffering=0) as file:
        monkeypatch.setattr(keys, "ANSWER_SECONDS", 5.0 if answer.endswith(b"4c") else 0.2)
        monkeypatch.setattr("sys.stdin", file)
        monkeypatch.setattr("sys.stdout", file)
        assert keys.extended_keys() is extended
    answering.join(DEADLINE)
    os.close(outer)
