"""Applications to join a group: they wait until its owner or an administrator decides, or they are in otherwise.

At most one of each user waits with a group. They stand in a table of their own, so that whoever deletes @TIM#SYSTEM,
and with it the notice, still finds them.
"""

from tui_chat.protocol import limits
from tui_chat.protocol.errors import ApplicationNotFound, InvalidRequest
from tui_chat.protocol.models import Application, TipKind
from tui_chat.protocol.requests import ApplicationPage, DecideApplication, GroupAnswer
from tui_chat.protocol.text import clean_name
from tui_chat.server.engines import Transaction

from .admission import admit, check_room
from .blocking import have_blocked
from .caller import Caller
from .grouprows import GroupRow, answer, known_to, leaders, leaders_only, living
from .idempotency import once
from .notices import notify, of_group
from .paging import after_key, cut
from .state import JOINED
from .users import Account, account_of


def accept_reason(text: str | None) -> str | None:
    """What an applicant wrote, as it is stored: on one line. Raises InvalidRequest where it is too long."""
    if text is None:
        return None
    cleaned = clean_name(text) if len(text) <= 8 * limits.APPLICATION_CHARACTERS else text
    if len(cleaned) > limits.APPLICATION_CHARACTERS:
        raise InvalidRequest(f"text has at most {limits.APPLICATION_CHARACTERS} characters")
    return cleaned


def apply(tx: Transaction, caller: Caller, row: GroupRow, text: str | None) -> None:
    """Have the caller wait for a decision; those who decide are told, but for those who have blocked the caller. Asking
    again tells nobody: it may bring another text, which they find when they look."""
    if tx.one("SELECT 1 FROM application WHERE conversation = ? AND account = ?", row.conversation, caller.user):
        if text is not None:
            tx.execute(
                "UPDATE application SET text = ? WHERE conversation = ? AND account = ?",
                text,
                row.conversation,
                caller.user,
            )
        return
    tx.execute(
        "INSERT INTO application (conversation, account, time, text) VALUES (?, ?, ?, ?)",
        row.conversation,
        caller.user,
        tx.now,
        text or "",
    )
    deciding = leaders(tx, row.conversation)
    without = have_blocked(tx, caller, deciding)
    notify(
        tx,
        [of_group(caller, row, TipKind.APPLIED, one, text=text or None) for one in deciding if one not in without],
    )


def page(
    tx: Transaction, caller: Caller, group_id: str, *, cursor: str | None = None, limit: int = limits.PAGE_DEFAULT
) -> ApplicationPage:
    """Who waits, in an order that does not move, for those who decide.

    Raises:
        GroupNotFound, NotAMember, Forbidden, InvalidRequest.
    """
    after = after_key(cursor, limit)
    standing = known_to(tx, caller, group_id)
    leaders_only(standing, "see who wants to join")
    rows = tx.all(
        "SELECT p.account, a.user_id, a.nick, p.text, p.time FROM application p JOIN account a ON a.id = p.account"
        " WHERE p.conversation = ? AND p.account > ? ORDER BY p.account LIMIT ?",
        standing.row.conversation,
        after,
        limit + 1,
    )
    here, following = cut(rows, limit)
    found = [Application(user_id=row[1], nick=row[2], text=row[3], time=row[4]) for row in here]
    return ApplicationPage(applications=found, next=following)


def decide(tx: Transaction, caller: Caller, group_id: str, user_id: str, request: DecideApplication) -> GroupAnswer:
    """Let an applicant in, or decline; the owner and administrators can. The applicant is told, and the others who
    could have decided, so that nobody does it again. To accept who is a member by now is no fault.

    Raises:
        GroupNotFound, NotAMember, Forbidden, UserNotFound, ApplicationNotFound, TooManyMembers, OperationReused.
    """

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        leaders_only(standing, "decide who joins")
        row = standing.row
        applicant = account_of(tx, user_id)
        if not tx.one(
            "SELECT 1 FROM application WHERE conversation = ? AND account = ?", row.conversation, applicant.key
        ):
            if request.accept and _is_member(tx, row, applicant):
                return answer(tx, group_id, 0)
            raise ApplicationNotFound()
        event_seq = 0
        if request.accept:
            check_room(row.member_count, 1)
            event_seq = admit(tx, caller, row, [applicant], TipKind.ACCEPTED)
        else:
            tx.execute(
                "DELETE FROM application WHERE conversation = ? AND account = ?", row.conversation, applicant.key
            )
        what = TipKind.ACCEPTED if request.accept else TipKind.DECLINED
        readers = [applicant, *(one for one in leaders(tx, row.conversation) if one.key != caller.user)]
        notify(tx, [of_group(caller, row, what, one, applicant) for one in readers])
        return answer(tx, group_id, event_seq)

    return once(tx, caller, "group.decide", request.operation_id, (group_id, user_id, request), GroupAnswer, carry_out)


def applicants(tx: Transaction, conversation: int) -> list[Account]:
    """Everybody who waits."""
    rows = tx.all(
        "SELECT a.id, a.user_id, a.nick FROM application p JOIN account a ON a.id = p.account"
        " WHERE p.conversation = ? ORDER BY a.id",
        conversation,
    )
    return [Account(*row) for row in rows]


def _is_member(tx: Transaction, row: GroupRow, account: Account) -> bool:
    query = "SELECT 1 FROM state WHERE conversation = ? AND account = ? AND membership = ?"
    return tx.one(query, row.conversation, account.key, JOINED) is not None
