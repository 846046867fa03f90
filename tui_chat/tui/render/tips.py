"""What a tip or a notice says, from its facts, in the reader's language; a kind of a newer server says its own text."""

from collections.abc import Callable

from tui_chat.locale import _
from tui_chat.protocol.models import Tip, TipKind
from tui_chat.tui.safe import Safe, fill, line


def tip_text(
    tip: Tip | None, fallback: str, own_id: str, name_of: Callable[[str], str] = str, *, notice: bool = False
) -> Safe:
    """One sentence; a notice, which stands outside its group, names the group as well.

    `fallback` is the message's own text; `name_of` turns a userID into what is shown for it.
    """
    if tip is None:
        return line(fallback)

    def called(user_id: str) -> str:
        return _("you") if user_id == own_id else name_of(user_id)

    named = tip.user_id_list[:5]
    more = max(tip.user_count, len(tip.user_id_list)) - len(named)
    values = {
        "who": called(tip.operator),
        "whom": _(", ").join(called(user) for user in named) + (f" (+{more})" if more > 0 else ""),
        "name": tip.name or "",
        "group": tip.name or tip.group_id or "",
        "text": tip.text or "",
    }
    pattern = _pattern(tip, notice=notice)
    return fill(pattern, **values) if pattern else line(fallback)


def _pattern(tip: Tip, *, notice: bool) -> str | None:
    match tip.what:
        case TipKind.CREATED:
            return _("{who} created the group")
        case TipKind.JOINED:
            return _("{whom} joined") if tip.user_id_list else _("{who} joined")
        case TipKind.INVITED:
            return _("{who} added {whom} to {group}") if notice else _("{who} added {whom}")
        case TipKind.QUIT:
            return _("{who} left")
        case TipKind.KICKED:
            return _("{who} removed {whom} from {group}") if notice else _("{who} removed {whom}")
        case TipKind.DISMISSED:
            return _("{who} dismissed {group}") if notice else _("{who} dismissed the group")
        case TipKind.TRANSFERRED:
            return _("{who} made {whom} the owner of {group}") if notice else _("{who} made {whom} the owner")
        case TipKind.RENAMED:
            return _("{who} named the group {name}")
        case TipKind.ROLE if tip.role == "admin":
            if notice:
                return _("{who} made {whom} an administrator of {group}")
            return _("{who} made {whom} an administrator")
        case TipKind.ROLE:
            if notice:
                return _("{who} made {whom} an ordinary member of {group} again")
            return _("{who} made {whom} an ordinary member again")
        case TipKind.JOIN_RULE:
            return _rule_pattern(tip)
        case TipKind.MUTED:
            return _("{who} muted the group: only its owner and administrators can write")
        case TipKind.UNMUTED:
            return _("{who} let everybody write again")
        case TipKind.APPLIED:
            return _("{who} asks to join {group}: {text}") if tip.text else _("{who} asks to join {group}")
        case TipKind.ACCEPTED:
            return _("{who} let {whom} join {group}") if notice else _("{who} let {whom} join")
        case TipKind.DECLINED:
            return _("{who} declined to let {whom} join {group}")
        case TipKind.OTHER:
            return None


def _rule_pattern(tip: Tip) -> str | None:
    match tip.join:
        case "free":
            return _("{who} let everybody join who wants to")
        case "approval":
            return _("{who} changed who may join: the owner or an administrator decides")
        case "closed":
            return _("{who} closed the group: only who is added joins")
        case None:
            return None
