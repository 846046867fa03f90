"""The README's script, letter by letter, against a real server."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.accounts import DEADLINE, PASSWORD
from tests.client.sessions import Sessions, eventually

README = Path(__file__).parents[2] / "README.md"


def script() -> str:
    """The first block of code under "In a script"."""
    section = README.read_text("utf-8").partition("\n## In a script\n")[2].partition("\n## ")[0]
    code = section.partition("```python\n")[2].partition("```")[0]
    assert code, "the README has no such script"
    return code


async def test_it_deletes_what_it_says_and_leaves_nothing_behind(sessions: Sessions, tmp_path: Path) -> None:
    alice = await sessions.register("alice")
    bob, carol, dave = [await sessions.register(name, device="desk") for name in ("bob", "carol", "dave")]
    for one in (bob, carol, dave, dave):
        await one.session.send_message("C2Calice", "hello")
    rows = alice.session.conversations
    await eventually(lambda: "C2Cdave" in rows and rows["C2Cdave"].message_count == 2)
    home = tmp_path / "home"
    home.mkdir()
    program = tmp_path / "clean_up.py"
    program.write_text(script(), "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", str(program), sessions.url, "alice"],
        env={**environment, "HOME": str(home), "TUI_CHAT_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=3 * DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    deletion = (await alice.session.deletions())[0]
    assert {"C2Cbob", "C2Ccarol"} <= set(deletion.conversation_id_list)
    assert done.stdout == f"{deletion.count} deleted, 0 failed, batch {deletion.batch_id}\n"
    await alice.session.reload()
    assert "C2Cdave" in rows
    assert not {"C2Cbob", "C2Ccarol"} & set(rows)
    assert [device.name for device in await alice.session.devices()] == ["laptop"], "it logged out"
    assert list(home.iterdir()) == [], "it needs no disk"
    await alice.session.undo(deletion.batch_id)
    await eventually(lambda: {"C2Cbob", "C2Ccarol"} <= set(rows))
