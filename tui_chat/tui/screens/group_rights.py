"""What one may do in a group by one's role there: pure. The server decides; the screen offers what it would allow."""

from typing import Final

import msgspec

from tui_chat.protocol.models import Conversation, Group, Membership

RANKS: Final = {"owner": 2, "admin": 1, "member": 0}


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """Each is what the server's rules for groups allow (server/operations/groups.py and members.py)."""

    role: str | None = None
    """owner, admin or member; None: no member."""
    invite: bool = False
    rename: bool = False
    join_rule: bool = False
    mute: bool = False
    decide: bool = False
    """Accept and decline applications."""
    roles: bool = False
    transfer: bool = False
    dismiss: bool = False
    leave: bool = False
    join: bool = False

    def remove(self, role: str) -> bool:
        """Whether one may remove a member of this role: the owner anybody else, administrators ordinary members."""
        own = RANKS.get(self.role or "", 0)
        return own > 0 and own > RANKS.get(role, 0)


def rights_of(row: Conversation, group: Group | None) -> Rights:
    """Of the reader of this conversation. While the group's own facts are not known, as if anybody might invite."""
    match row.membership:
        case Membership.JOINED:
            pass
        case Membership.LEFT | Membership.KICKED:
            return Rights(join=group is None or (group.join != "closed" and not group.dismissed))
        case _:
            return Rights()
    role = row.role or "member"
    leads, owns = RANKS.get(role, 0) > 0, role == "owner"
    return Rights(
        role=role,
        invite=leads or group is None or group.join != "approval",
        rename=leads,
        join_rule=leads,
        mute=leads,
        decide=leads,
        roles=owns,
        transfer=owns,
        dismiss=owns,
        leave=not owns,
    )
