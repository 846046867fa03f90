#!/usr/bin/env python3
"""Make the excerpt of real conversations that `tui-chat demo` shows.

    python assets/make_demo_excerpt.py --ubuntu ubuntu-irc.jsonl.gz --kdconv kdconv.jsonl.gz --output tui_chat/demo/data

The same input gives the same bytes. The form of the file is described in tui_chat/demo/excerpt.py, which reads it.
"""

import argparse
import gzip
import io
import json
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from demo_excerpt import choice, corpus, mailbox, people, replies

CONVERSATIONS = 411
"""With the system's own conversation alice has 412."""
CHINESE = 121
LINES_A_CHANNEL = 340
LINES_A_TOPIC = 84
LINES_IN_MAIN = 2_900
ANSWERS = 120
"""Short lines of each language that peers answer with."""
SEED = 20_041_020
"""The day of Ubuntu's first release."""

NOTICE = """\
The conversations in excerpt.jsonl.gz are real; other people wrote them. They come from two corpora.

1. English, groups and one-to-one: the IRC disentanglement corpus of Jonathan K. Kummerfeld, Sai R. Gouravajhala,
   Joseph Peper, Vignesh Athreya, Chulaka Gunasekara, Jatin Ganhotra, Siva Sankalp Patel, Lazaros Polymenakos and
   Walter S. Lasecki, "A Large-Scale Corpus for Conversation Disentanglement", ACL 2019,
   https://github.com/jkkummerfeld/irc-disentanglement, whose text comes from the Ubuntu IRC logs,
   https://irclogs.ubuntu.com. Licence: Creative Commons Attribution 4.0 International (CC BY 4.0),
   https://creativecommons.org/licenses/by/4.0/.

2. Chinese: KdConv by Hao Zhou, Chujie Zheng, Kaili Huang, Minlie Huang and Xiaoyan Zhu, "KdConv: A Chinese
   Multi-domain Dialogue Dataset Towards Multi-turn Knowledge-driven Conversation", ACL 2020,
   https://github.com/thu-coai/KdConv. Licence: Apache License 2.0, https://www.apache.org/licenses/LICENSE-2.0.

Changes: a small part was chosen; what programs said was left out, and so were lines with e-mail, IP or hardware
addresses, telephone numbers, passwords, obscene or abusive words, or commands that destroy data. The one channel was
divided into groups by time and by topic, and what two people said to one another was made into one-to-one
conversations without the leading nick. The parts of several prolific people stand under the invented name "alice", and
those of two others under "bob" and "carol"; in the texts their nicks were replaced as well. The Chinese speakers, who
have no names in their corpus, were given invented ones. userIDs were derived from nicks. The times were shifted, and
the pauses between sittings changed. No statement in the excerpt is one of the authors of this program, and neither
corpus's authors endorse it.
"""


def build(ubuntu: Path, kdconv: Path) -> tuple[bytes, Counter[str]]:
    """The excerpt's bytes (gzip'd JSON lines), and some numbers about it."""
    irc = corpus.read_ubuntu(ubuntu)
    every = corpus.read_kdconv(kdconv)
    dialogues = _spread(every, CHINESE)
    chosen = choice.choose(
        irc, lines_a_channel=LINES_A_CHANNEL, lines_a_topic=LINES_A_TOPIC, lines_in_main=LINES_IN_MAIN
    )
    chinese = people.chinese_names(CHINESE)
    talks = CONVERSATIONS - CHINESE - len(chosen.channels) - len(chosen.topics)
    boxes = mailbox.arrange(chosen, dialogues, [name for name, _ in chinese], talks=talks, seed=SEED)
    boxes.sort(key=lambda box: (-box.said[-1].at, box.kind, box.name))
    answers = {"english": replies.english(irc, ANSWERS), "chinese": replies.chinese(every, ANSWERS)}
    return _encode(boxes, answers, irc.spelling, dict(chinese))


def _spread(dialogues: Sequence[corpus.Dialogue], count: int) -> list[corpus.Dialogue]:
    """`count` of them from all over: the corpus is sorted by topic (films, music, travel)."""
    most = min(count, len(dialogues))
    return [dialogues[index * len(dialogues) // most] for index in range(most)]


def _encode(
    boxes: Sequence[mailbox.Box], answers: dict[str, list[str]], spelling: dict[str, str], chinese: dict[str, str]
) -> tuple[bytes, Counter[str]]:
    register = people.Register()
    own = {choice.ALICE: 0, choice.BOB: 1, choice.CAROL: 2}
    users: list[list[str]] = [[name] for name in own]
    numbers = dict(own)

    def number(key: str) -> int:
        if key not in numbers:
            nick = people.display_name(spelling.get(key, key))
            user_id = register.user_id(chinese.get(key, nick))
            numbers[key] = len(users)
            users.append([user_id] if user_id == nick else [user_id, nick])
        return numbers[key]

    lines: list[object] = []
    counts: Counter[str] = Counter()
    for box in boxes:
        group = box.kind == "group"
        entry: dict[str, object] = {"group": box.name.removeprefix("#")} if group else {"with": number(box.name)}
        if group:
            entry["name"] = box.name
        for flag in ("unread", "pinned", "muted", "ended", "chinese"):
            if getattr(box, flag):
                entry[flag] = getattr(box, flag)
        times = [one.at for one in box.said]
        entry["at"] = [times[0], *(after - before for before, after in pairwise(times))]
        entry["from"] = [number(one.who) for one in box.said]
        entry["text"] = [one.text for one in box.said]
        if box.live:
            entry["live"] = [[number(one.who), one.text] for one in box.live]
        lines.append(entry)
        counts.update(conversations=1, messages=len(box.said), live=len(box.live), **{box.kind: 1})
    counts["users"] = len(users)
    head = {
        "format": 1,
        "users": users,
        "answers": answers,
        "conversations": len(boxes),
        "messages": counts["messages"],
    }
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in (head, *lines))
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as file:
        file.write(text.encode("utf-8"))
    return buffer.getvalue(), counts


def main() -> None:
    """Read, choose, write; say what it came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ubuntu", type=Path, required=True, help="the IRC corpus, gzip'd JSON lines")
    parser.add_argument("--kdconv", type=Path, required=True, help="the Chinese corpus, gzip'd JSON lines")
    parser.add_argument("--output", type=Path, required=True, help="the directory to write to")
    options = parser.parse_args()
    data, counts = build(options.ubuntu, options.kdconv)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "excerpt.jsonl.gz").write_bytes(data)
    (options.output / "NOTICE").write_text(NOTICE, encoding="utf-8")
    print(f"{len(data) / 1024:.0f} KiB:", ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
