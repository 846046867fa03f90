"""`tui-chat search`, against a real server."""

from tests.cli.conftest import Run, objects


def test_finds_words_in_all_conversations(accounts: Run) -> None:
    code, output, _ = accounts("search", "HELLO", "from")
    assert code == 0
    assert [line.strip() for line in output.splitlines() if line.startswith(" ")] == [
        "hello from carol",
        "hello from bob",
    ]
    assert "C2Ccarol carol:" in output


def test_in_one_conversation_as_json(accounts: Run) -> None:
    code, output, _ = accounts("search", "hello", "--in", "bob", "--json")
    assert code == 0
    [message] = objects(output)
    assert (message["conversationID"], message["text"], message["messageSeq"]) == ("C2Cbob", "hello from bob", 1)


def test_one_chinese_character(accounts: Run) -> None:
    assert accounts("send", "--profile", "bob", "alice", "明天早上下雨")[0] == 0
    assert "明天早上下雨" in accounts("search", "雨")[1]
    assert accounts("search", "雪") == (0, "", "")


def test_the_limit_is_kept_over_as_many_answers_as_it_takes(accounts: Run) -> None:
    for number in range(3):
        assert accounts("send", "--profile", "bob", "alice", f"word {number}")[0] == 0
    for limit in (1, 2):
        output = accounts("search", "word", "--limit", str(limit), "--json")[1]
        assert [one["text"] for one in objects(output)] == ["word 2", "word 1"][:limit]


def test_what_was_deleted_is_not_found(accounts: Run) -> None:
    assert accounts("delete", "bob", "--yes")[0] == 0
    assert "hello from bob" not in accounts("search", "hello")[1]


def test_what_cannot_be_looked_for(accounts: Run) -> None:
    assert accounts("search", " ")[0] != 0
    assert accounts("search", "x", "--limit", "0")[0] == 2
    assert accounts("search", "x", "--in", "C2Cnobody")[0] != 0
