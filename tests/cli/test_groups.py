"""`tui-chat groups`, and what makes a shell complete commands."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run, objects


def test_a_group_from_its_making_to_leaving_it(accounts: Run) -> None:
    run = accounts
    code, out, _ = run("groups", "create", "#planning", "bob", "--id", "planning", "--join", "approval", "--json")
    assert code == 0
    assert objects(out)[0]["conversationID"] == "GROUPplanning"
    assert run("groups", "add", "#planning", "carol")[0] == 0
    code, out, _ = run("groups", "members", "planning", "--json")
    assert [(one["userID"], one["role"]) for one in objects(out)] == [
        ("alice", "owner"),
        ("bob", "member"),
        ("carol", "member"),
    ]
    code, out, err = run("groups", "kick", "GROUPplanning", "bob", "nobody")
    assert (code, out) == (1, "bob is removed\n")
    assert err.startswith("tui-chat: nobody: ")
    assert run("groups", "join", "planning", "--text", "let me in", "--profile", "bob")[1].startswith("asked to join")
    code, out, _ = run("groups", "list", "--profile", "carol")
    assert "GROUPplanning" in out
    for name in ("GROUPplanning", "#planning"):  # as the list shows it, and one that is in the list
        assert run("groups", "join", name, "--profile", "carol")[2] == run("groups", "join", "planning")[2]
    assert run("groups", "leave", "#planning", "--profile", "carol")[0] == 0
    assert run("groups", "list", "--profile", "carol")[1] == ""
    code, _, err = run("groups", "leave", "#planning")
    assert code == 1
    assert len(err.splitlines()) == 1


def test_a_groups_owner_needs_no_screen(accounts: Run) -> None:
    run = accounts
    assert run("groups", "create", "#planning", "--id", "planning", "--join", "approval")[0] == 0
    assert "1 member " in run("groups", "list")[1]
    for user in ("bob", "carol"):
        assert run("groups", "join", "planning", "--text", "please", "--profile", user)[0] == 0
    assert [one["userID"] for one in objects(run("groups", "applications", "#planning", "--json")[1])] == [
        "bob",
        "carol",
    ]
    code, out, err = run("groups", "accept", "#planning", "bob", "nobody")
    assert (code, out) == (1, "bob is a member now\n")
    assert err.startswith("tui-chat: nobody: ")
    assert run("groups", "decline", "#planning", "carol")[1] == "carol was declined\n"
    assert run("groups", "applications", "#planning")[1] == ""
    assert run("groups", "mute", "#planning")[0] == 0
    assert run("send", "#planning", "hello", "--profile", "bob")[0] == 1
    assert run("groups", "role", "#planning", "bob", "admin")[1] == "bob is an administrator of #planning\n"
    assert {"administrator", "owner", "member"} >= {
        line.split()[1] for line in run("groups", "members", "#planning")[1].splitlines()
    }
    assert run("groups", "list", "--profile", "bob")[1].split()[:2] == ["#planning", "administrator"]
    assert run("send", "#planning", "hello", "--profile", "bob")[0] == 0
    assert run("groups", "unmute", "#planning")[0] == 0
    assert run("groups", "rename", "#planning", "#plans")[1] == "the group is called #plans\n"
    assert objects(run("groups", "joining", "#plans", "free", "--json")[1])[0]["group"]["join"] == "free"
    assert run("groups", "join", "planning", "--profile", "carol")[1].startswith("a member of #plans")
    for command in (("transfer", "#plans", "bob"), ("dismiss", "#plans")):
        code, _, err = run("groups", *command)
        assert code == 2
        assert "--yes" in err
    assert run("groups", "transfer", "#plans", "bob", "--yes")[1] == "bob owns #plans now\n"
    assert run("groups", "leave", "#plans")[0] == 0
    assert run("groups", "dismiss", "#plans", "--yes", "--profile", "bob")[0] == 0
    assert run("send", "#plans", "hello", "--profile", "carol")[0] == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_shells(run: Run, tmp_path: Path, shell: str) -> None:
    code, out, _ = run("completion", shell)
    assert code == 0
    assert "keep-history" in out
    if shell != "bash":  # which shows no words of its own
        assert "print what makes a shell complete this command" in out
        assert "in ~/.bashrc" not in out, "one line of each command"
    if (program := shutil.which(shell)) is not None:
        script = tmp_path / "script"
        script.write_text(out)
        assert subprocess.run([program, "-n", str(script)], check=False).returncode == 0


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(
    ("typed", "offered"), [("gro", "groups"), ("groups cre", "create"), ("delete --keep", "--keep-history")]
)
def test_bash_completes(run: Run, tmp_path: Path, typed: str, offered: str) -> None:
    assert completed_by_bash(run, tmp_path, typed) == [offered]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes_files_and_directories(run: Run, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").touch()
    (tmp_path / "chat-data").mkdir()
    asked = f"serve --tls-cert {tmp_path}/cha"
    assert set(completed_by_bash(run, tmp_path, asked)) == {f"{tmp_path}/chain.pem", f"{tmp_path}/chat-data"}
    assert completed_by_bash(run, tmp_path, f"serve --data {tmp_path}/cha") == [f"{tmp_path}/chat-data"]


def completed_by_bash(run: Run, tmp_path: Path, typed: str) -> list[str]:
    """What bash offers for the last word."""
    script = tmp_path / "script"
    script.write_text(run("completion", "bash")[1])
    words = ["tui-chat", *typed.split()]
    ask = (
        f'source "{script}"; COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1};'
        " $(complete -p tui-chat | sed 's/.*-F \\([^ ]*\\) .*/\\1/'); echo \"${COMPREPLY[@]}\""
    )
    found = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True).stdout
    return found.split()
