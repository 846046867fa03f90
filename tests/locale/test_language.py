"""Choosing a language, and what is shown in it."""

from collections.abc import Iterator
from datetime import UTC

import pytest

from tui_chat.locale import _, first_known, ngettext, use_language
from tui_chat.locale.durations import duration
from tui_chat.protocol import errors
from tui_chat.protocol.errors import ErrorBody
from tui_chat.protocol.models import Tip, TipKind
from tui_chat.protocol.requests import ItemFailure
from tui_chat.tui.commands.command import Scope
from tui_chat.tui.refusals import refusal
from tui_chat.tui.render.times import Times
from tui_chat.tui.render.tips import tip_text
from tui_chat.tui.screens.help import help_text

DAY = 86_400_000
NOON = 1_731_931_200_000
"""Monday 18 November 2024, 12:00 UTC."""


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    yield
    use_language("en")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without any language."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def spoken() -> str:
    return _("Delete and clear")


CHINESE, ENGLISH = "删除并清空", "Delete and clear"


def test_chinese_by_name() -> None:
    use_language("zh_CN")

    assert spoken() == CHINESE
    assert _("Delete, keep history") == "删除，保留记录"


@pytest.mark.parametrize("language", ["en", "en_GB", "fr", "xx_YY", "zh_TW"])
def test_a_language_without_a_catalogue_is_english(language: str) -> None:
    use_language("zh_CN")
    use_language(language)

    assert spoken() == ENGLISH


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("LANG", "zh_CN.UTF-8", CHINESE),
        ("LC_ALL", "zh_CN", CHINESE),
        ("LANGUAGE", "fr:zh_CN:en", CHINESE),
        ("LANGUAGE", "en_US:en:zh_CN", ENGLISH),
        ("LANG", "en_US.UTF-8", ENGLISH),
        ("LANG", "C.UTF-8", ENGLISH),
        ("LANG", "", ENGLISH),
    ],
)
def test_the_environment_decides_where_nothing_is_set(
    environment: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    environment.setenv(variable, value)
    use_language()

    assert spoken() == said


def test_what_is_set_goes_before_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LANGUAGE", "zh_CN")
    use_language("en")

    assert spoken() == ENGLISH


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_one_form_for_every_count(count: int) -> None:
    use_language("zh_CN")

    said = ngettext("Delete {count} conversation?", "Delete {count} conversations?", count)
    assert said.format(count=count) == f"删除 {count} 个会话？"


def test_an_empty_text_stays_empty() -> None:
    use_language("zh_CN")

    assert _("") == ""


def test_times_and_durations() -> None:
    use_language("zh_CN")
    times = Times(NOON + 3 * DAY, UTC)

    assert times.day(NOON) == "11月18日 星期一"
    assert times.day(NOON - 366 * DAY) == "2023年11月18日 星期六"
    assert times.short(NOON) == "周一"
    assert times.short(NOON - 30 * DAY) == "10/19"
    assert duration(600) == "10 分钟"


def test_tips_name_people_as_they_are() -> None:
    use_language("zh_CN")
    tip = Tip(what=TipKind.KICKED, operator="alice", user_id_list=["bob", "小林"], group_id="planning", name=None)

    assert tip_text(tip, "", "alice") == "你 将 bob、小林 移出了群聊"
    assert tip_text(tip, "", "carol", notice=True) == "alice 将 bob、小林 移出了 planning"


def test_commands_are_translated_when_they_are_shown_not_when_they_are_declared() -> None:
    english = help_text(Scope.LIST, 100).plain
    use_language("zh_CN")
    chinese = help_text(Scope.LIST, 100).plain

    assert "Undo the last deletion" in english
    assert "撤销最近一次删除" in chinese
    assert "the " not in chinese


class TestRefusals:
    """A server speaks English; the screen says it in the reader's language."""

    def test_the_words_where_the_catalogue_has_them(self) -> None:
        use_language("zh_CN")

        assert refusal(ErrorBody(code="group_not_found", message="that group was dismissed")) == "该群已解散"

    def test_else_what_the_code_says(self) -> None:
        use_language("zh_CN")
        failure = ItemFailure(conversation_id="C2Cbob", code="user_not_found", message="there is no user 'bob'")

        assert refusal(failure) == "没有这个用户。"
        assert refusal(errors.NameTaken("bob is taken: choose another userID")) == "该名称已被使用。"

    def test_a_newer_server_is_quoted(self) -> None:
        use_language("zh_CN")

        assert refusal(ErrorBody(code="moon_phase", message="not at full moon")) == "not at full moon"

    def test_english_keeps_the_servers_own_words(self) -> None:
        use_language("en")

        assert refusal(ErrorBody(code="name_taken", message="bob is taken")) == "bob is taken"

    def test_every_kind_has_words(self) -> None:
        use_language("zh_CN")

        assert [
            kind.code for kind in errors.ERRORS.values() if str(kind()).isascii() and refusal(kind()).isascii()
        ] == []

    def test_the_first_that_is_known(self) -> None:
        use_language("zh_CN")

        assert first_known("Cancel", "Help") == "取消"
        assert first_known("no such text", "Help") == "帮助"
        assert first_known("no such text", "nor this") == "no such text"
