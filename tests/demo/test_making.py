"""assets/make_demo_excerpt.py on a small corpus of our own: the same bytes each time, and what it leaves out."""

import gzip
import json
from pathlib import Path
from types import ModuleType

from tui_chat.demo.excerpt import ALICE, Excerpt, parse
from tui_chat.protocol import ids

START = 1_150_000_000


def corpora(directory: Path) -> tuple[Path, Path]:
    """Two sittings a month apart in which helpers help, and four Chinese conversations."""
    lines: list[tuple[int, str, str]] = []
    for sitting in range(24):
        start = START + sitting * 15_000_000
        for turn in range(120):
            time = start + 60 * (turn // 4)
            asker, helper = ("[Joe]|", "Jill^^", "o_O")[turn % 3], ("Seveas", "jrib")[sitting % 2]
            lines.append((time, asker, f"{helper}: my wifi card number {sitting} {turn} is not found"))
            lines.append((time, helper, f"{asker}: what does iwconfig say about wlan{turn}?"))
            lines.append((time, "ubottu", f"{asker}: wireless documentation {turn} can be found elsewhere"))
            lines.append((time, "Jill^^", f"write to me at jill{turn}@example.org"))
            lines.append((time, "o_O", f"well sh1t {turn}"))
            lines.append((time, "FloodBot1", f"stop it {turn}"))
    irc = directory / "irc.jsonl.gz"
    _write(irc, [{"time": time, "from": nick, "text": text} for time, nick, text in lines])
    chinese = directory / "chinese.jsonl.gz"
    _write(
        chinese,
        [
            {
                "topic": "film",
                "name": f"电影{n}",
                "messages": [f"你看过电影{n}吗？", "看过。", "好看吗？", "好的，谢谢。"],
            }
            for n in range(4)
        ],
    )
    return irc, chinese


def _write(path: Path, entries: list[dict[str, object]]) -> None:
    path.write_bytes(gzip.compress("\n".join(json.dumps(entry) for entry in entries).encode()))


def _texts(excerpt: Excerpt) -> list[str]:
    return [text for talk in excerpt.talks for text in talk.text]


def test_the_same_input_gives_the_same_bytes(maker: ModuleType, tmp_path: Path) -> None:
    irc, chinese = corpora(tmp_path)
    first, counts = maker.build(irc, chinese)
    again, _ = maker.build(irc, chinese)
    assert first == again
    assert counts["conversations"] == len(parse(first).talks) > 10


def test_bots_addresses_and_bad_words_are_left_out(maker: ModuleType, tmp_path: Path) -> None:
    excerpt = parse(maker.build(*corpora(tmp_path))[0])
    texts = _texts(excerpt)
    assert texts
    assert not [text for text in texts if "@" in text or "sh1t" in text or "stop it" in text or "documentation" in text]
    assert {person.user_id for person in excerpt.people}.isdisjoint({"ubottu", "FloodBot1"})


def test_alice_has_the_helpers_place_and_names_become_ids(maker: ModuleType, tmp_path: Path) -> None:
    excerpt = parse(maker.build(*corpora(tmp_path))[0])
    nicks = {person.nick or person.user_id for person in excerpt.people}
    assert ALICE in nicks
    assert "[Joe]|" in nicks
    assert nicks.isdisjoint({"Seveas", "jrib"})
    assert not [text for text in _texts(excerpt) if "Seveas" in text or "jrib" in text]
    for person in excerpt.people:
        ids.check_user_id(person.user_id)
    single = [talk for talk in excerpt.talks if talk.partner is not None and not talk.chinese]
    assert single
    assert all(not text.startswith(("alice:", "[Joe]|:")) for talk in single for text in talk.text)


def test_the_packaged_excerpt_carries_its_notice(maker: ModuleType) -> None:
    notice = Path(__file__).parents[2] / "tui_chat" / "demo" / "data" / "NOTICE"
    assert notice.read_text("utf-8") == maker.NOTICE
