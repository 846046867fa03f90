"""Every plain command under a Chinese locale: no word of English is left in what it prints."""

import platform
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_words import commands
from tests.servers import LiveServer
from tui_chat.cli.parser import build_parser
from tui_chat.locale import use_language

NAMES = """
alice bob carol dora crew Crew main TUI tui chat CHAT PASSWORD NEW NAME ID QUERY URL USER CODE DIR FILE SERVER
COMMAND TEXT GROUP NUMBER MB ms UTF TERM TOML Python Linux PostgreSQL SQLite PGPASSWORD postgresql HOST POSTGRES
demo serve login register list read send delete undo log watch admin invite show bash zsh fish help json match yes
dry run server user revoke free approval closed auto open on off sync conversation deletion seconds registration
hello from there https http example org GROUPcrew system nothing name group flag shell completion undoSeconds sqlite
"""
"""People, groups, commands, options, and the words that are typed for a value: they are the same in every language."""

LINES = """
list
list --match "unread:"
list --match "type:nothing"
read bob
read nobody-of-that-name?
search hello
send bob "你好"
send bob "你好" "多了"
send --jsn
delete bob --dry-run
delete --match name:zz --yes
delete
delete bob --yes --keep-history
undo
delete bob carol --yes
log
undo
undo
flag bob --pin
flag bob --unread
flag bob --read
flag bob nobody
groups create crew bob --id crew
groups list
groups members crew
groups add crew carol
groups role crew bob admin
groups rename crew Crew
groups joining crew free
groups mute crew
groups unmute crew
groups applications crew
groups accept crew dora
groups decline crew dora
groups kick crew carol
groups kick crew carol
groups transfer crew bob --yes
groups leave crew
groups dismiss crew
groups join crew
devices
devices --revoke ""
account nick "小爱"
account block carol
account blocks
account unblock carol
account erase
account password
admin show
admin set undo-seconds many
admin set undo-seconds 60
admin set registration open
admin invite
admin users
admin promote bob
admin demote bob
admin audit
admin remove-message C2Calice:bob 1
admin remove-user carol
admin remove-user carol --yes
admin backup
admin backup HERE/there.db --data HERE/server
admin backup HERE/there.db --data HERE/server
admin restore HERE/there.db --data HERE/new
admin migrate-database HERE nowhere
config check
config path
config show
doctor
export --output HERE/all.json
export --output HERE/all.json
completion tcsh
demo
demo --join --reset
--json
login --server "no address" --user alice
login --server SERVER --user alice --profile "a b"
send --profile nobody bob x
send --server SERVER bob x
watch --profile nobody
serve --port x
logout
logout
list
register --server SERVER --user alice
"""


@pytest.fixture
def chinese(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    use_language()


_NO_WORDS = re.compile(
    r"`[^`]*`|'[^']*'|--[\w-]+|/\S+|@\S+|\b\w*\d\w*\b|^\[\w+\]$|^\w+ = .*$|\b[a-z]+\.[a-z]+\b", re.MULTILINE
)
"""What stands in quotes, options, paths, IDs and numbers, the lines of a settings file, kinds of what was done."""


def english(said: str, *names: str) -> list[str]:
    """The words of English in what was said."""
    for name in names:
        said = said.replace(name, " ")
    known = NAMES.split()
    return [word for word in re.findall(r"[A-Za-z]{2,}", _NO_WORDS.sub(" ", said)) if word not in known]


@pytest.mark.usefixtures("chinese")
def test_what_commands_print_has_no_word_of_english(accounts: Run, server: LiveServer, tmp_path: Path) -> None:
    left = {}
    for line in filter(None, LINES.splitlines()):
        words = [word.replace("HERE", str(tmp_path)).replace("SERVER", server.url) for word in shlex.split(line)]
        _code, out, err = accounts(*words)
        if found := english(out + err, server.url, str(tmp_path), platform.node().split(".")[0]):
            left[line] = (found, out + err)
    assert left == {}


def test_every_command_is_among_them() -> None:
    said = {command.prog.removeprefix("tui-chat ") for command in commands(build_parser())}
    assert {one for one in said if not re.search(rf"^{one}\b", LINES, re.M)} == set()
