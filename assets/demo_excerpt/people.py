"""userIDs for nicks that are none, and names for the Chinese speakers, who have none in their corpus."""

import re
import unicodedata
from typing import Final

from tui_chat.protocol import ids, limits, text

RESERVED: Final = ("alice", "bob", "carol", "admin", "administrator", "system")
"""Taken by the demo's own people, or apt to be mistaken for somebody with powers."""

_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_.\-]+")
_NOT_AT_START = re.compile(r"^[^A-Za-z0-9]+")

_CALLED: Final = """
    小林 xiaolin, 阿明 aming, 老王 laowang, 小雨 xiaoyu, 阿伟 awei, 老周 laozhou, 小美 xiaomei, 大鹏
    dapeng, 阿芳 afang, 小龙 xiaolong, 晓雯 xiaowen, 老陈 laochen, 小北 xiaobei, 阿杰 ajie, 豆豆
    doudou, 圆圆 yuanyuan, 大山 dashan, 小鱼 xiaoyu.yu, 阿强 aqiang, 糖糖 tangtang
"""
_SURNAMES: Final = """
    王 wang, 李 li, 张 zhang, 刘 liu, 陈 chen, 杨 yang, 赵 zhao, 黄 huang, 周 zhou, 吴 wu, 徐 xu, 孙
    sun, 胡 hu, 朱 zhu, 高 gao, 林 lin, 何 he, 郭 guo, 马 ma, 罗 luo, 梁 liang, 宋 song, 郑 zheng,
    谢 xie, 韩 han, 唐 tang, 冯 feng, 于 yu, 董 dong, 萧 xiao
"""
_GIVEN: Final = """
    伟 wei, 芳 fang, 娜 na, 敏 min, 静 jing, 磊 lei, 洋 yang, 艳 yan, 勇 yong, 娟 juan, 涛 tao, 明
    ming, 超 chao, 秀英 xiuying, 霞 xia, 平 ping, 建国 jianguo, 桂兰 guilan, 婷婷 tingting, 雪 xue,
    晨曦 chenxi, 子涵 zihan, 欣怡 xinyi, 浩然 haoran, 志强 zhiqiang, 丽华 lihua, 文博 wenbo, 雨桐
    yutong, 嘉怡 jiayi, 宇航 yuhang, 思远 siyuan
"""


class Register:
    """Gives out userIDs, each once, whatever the case."""

    def __init__(self) -> None:
        self._taken = {ids.fold(name) for name in RESERVED}

    def user_id(self, nick: str) -> str:
        """A userID as near to the nick as its form allows."""
        plain = unicodedata.normalize("NFKD", nick).encode("ascii", "ignore").decode("ascii")
        stem = _NOT_AT_START.sub("", _NOT_IN_ID.sub("", plain))[: limits.USER_ID_CHARACTERS - 3] or "guest"
        user_id, number = stem, 1
        while ids.fold(user_id) in self._taken:
            number += 1
            user_id = f"{stem}-{number}"
        self._taken.add(ids.fold(user_id))
        return ids.check_user_id(user_id)


def display_name(nick: str) -> str:
    """The nick as a server would accept it."""
    return text.accept_name(nick)


def chinese_names(count: int) -> list[tuple[str, str]]:
    """`count` pairs of a name and a userID in pinyin: first what friends call one another, then full names."""
    names = _pairs(_CALLED)
    surnames, given = _pairs(_SURNAMES), _pairs(_GIVEN)
    step = 0
    while len(names) < count:
        (family, family_pinyin), (own, own_pinyin) = surnames[step % len(surnames)], given[(step * 7) % len(given)]
        names.append((family + own, f"{family_pinyin}.{own_pinyin}"))
        step += 1
    return names[:count]


def _pairs(table: str) -> list[tuple[str, str]]:
    entries = (entry.split() for entry in table.split(","))
    return [(name, pinyin) for name, pinyin in entries]
