"""`tui-chat groups`: groups, for scripts."""

import argparse
from collections.abc import Awaitable, Callable
from typing import Any

from tui_chat.locale import _, ngettext

from . import managing
from .arguments import Commands, add_account_options, add_json_option


def add(commands: Commands) -> None:
    """Declare the subcommand and its own."""
    parser = commands.add_parser("groups", help="groups: list, make, join, leave; who is in them, who may write")
    add_account_options(parser)
    add_json_option(parser)
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listed = inner.add_parser("list", help="the groups that you are in")
    create = inner.add_parser("create", help="make a group; you are its owner")
    create.add_argument("name", metavar="NAME", help="as people read it")
    create.add_argument("members", nargs="*", metavar="USER", help="userIDs of who is in it from the start")
    create.add_argument("--id", metavar="ID", help="its groupID; otherwise the server makes one")
    create.add_argument(
        "--join",
        choices=("free", "approval", "closed"),
        default="closed",
        help="who may join: everybody, whom its owner or an administrator lets in, only who is added (the default)",
    )
    members = inner.add_parser("members", help="who is in a group, with their roles")
    invited = inner.add_parser("add", help="add people to a group")
    kick = inner.add_parser("kick", help="remove people from a group")
    join = inner.add_parser("join", help="become a member of a group, or ask to, by its ID")
    leave = inner.add_parser("leave", help="leave a group; its conversation stays in your list")
    for command in (members, invited, kick, leave, join):
        command.add_argument("group", metavar="GROUP", help="'#name', its ID, or GROUPid")
    for command in (invited, kick):
        command.add_argument("users", nargs="+", metavar="USER", help="a userID")
    join.add_argument("--text", metavar="TEXT", help="for those who decide")
    for command, action in (
        (listed, _list),
        (create, _create),
        (members, _members),
        (invited, _add),
        (kick, _kick),
        (join, _join),
        (leave, _leave),
        *managing.add(inner),
    ):
        add_account_options(command)
        add_json_option(command)
        command.set_defaults(run=run, action=action)


def run(arguments: argparse.Namespace) -> int:
    """Carry out the inner command."""
    import asyncio

    if not managing.sure(arguments):
        print(_("nothing was done"))
        return 1
    return asyncio.run(_with_session(arguments))


async def _with_session(arguments: argparse.Namespace) -> int:
    from .account import session_for

    async with session_for(arguments) as session:
        return int(await arguments.action(session, arguments))


def group_id(session: Any, name: str) -> str:
    """The groupID that a name stands for: a listed group's, else the name itself."""
    from tui_chat.protocol.ids import ConversationType, parse_conversation_id

    from .names import resolve

    groups = [one for one in session.conversations.values() if one.type is ConversationType.GROUP]
    named = name if name.startswith(("#", "GROUP")) else f"#{name}"
    parsed = parse_conversation_id(resolve(named, groups))
    return parsed.target if parsed.type is ConversationType.GROUP else name.removeprefix("#")


def _joining(session: Any, name: str) -> str:
    """The groupID of a group that one need not have in the list."""
    from tui_chat.protocol.errors import InvalidConversation

    try:
        return group_id(session, name)
    except InvalidConversation:
        return name.removeprefix("#")


async def _list(session: Any, arguments: argparse.Namespace) -> int:
    from tui_chat.protocol.ids import ConversationType
    from tui_chat.protocol.models import Membership

    from .output import columns, print_answer

    for row in session.conversations.values():
        if row.type is not ConversationType.GROUP or row.membership is not Membership.JOINED:
            continue
        members = row.member_count or 0
        count = ngettext("{count} member", "{count} members", members).format(count=members)
        said = columns([row.name, _role(row.role or "member"), count, row.conversation_id], [30, 13, 14, 0])
        print_answer(row, said, as_json=arguments.json)
    return 0


def _role(role: str) -> str:
    return {"owner": _("owner"), "admin": _("administrator"), "member": _("member")}[role]


async def _create(session: Any, arguments: argparse.Namespace) -> int:
    from .output import print_answer

    answer = await session.create_group(
        arguments.name, group_id=arguments.id, join=arguments.join, members=arguments.members
    )
    said = _("{name} is made: {conversation}")
    said = said.format(name=answer.group.name, conversation=answer.conversation_id)
    print_answer(answer, said, as_json=arguments.json)
    return 0


async def _members(session: Any, arguments: argparse.Namespace) -> int:
    from .output import columns, print_answer

    for member in await session.members(group_id(session, arguments.group)):
        said = columns([member.user_id, _role(member.role), member.nick or ""], [24, 13, 0])
        print_answer(member, said, as_json=arguments.json)
    return 0


async def _add(session: Any, arguments: argparse.Namespace) -> int:
    from .output import print_answer

    answer = await session.add_members(group_id(session, arguments.group), arguments.users)
    count = answer.group.member_count
    said = ngettext("{name} has {count} member now", "{name} has {count} members now", count)
    said = said.format(name=answer.group.name, count=count)
    print_answer(answer, said, as_json=arguments.json)
    return 0


async def _kick(session: Any, arguments: argparse.Namespace) -> int:
    named = group_id(session, arguments.group)

    async def kick(user: str) -> None:
        await session.kick(named, user)

    return await for_each(arguments, kick, _("{user} is removed"), {"groupID": named, "removed": True})


async def for_each(
    arguments: argparse.Namespace, act: Callable[[str], Awaitable[None]], said: str, facts: dict[str, Any]
) -> int:
    """Do it with each of the users named, and say so (`{user}` stands for the one); what is refused is said of this one
    alone.
    """
    import sys

    from tui_chat.protocol.errors import ChatError

    from .failures import describe
    from .output import print_answer

    failed = False
    for user in arguments.users:
        try:
            await act(user)
        except ChatError as error:
            failed = True
            described = describe(error)
            print(f"tui-chat: {user}: {described[0] if described else error}", file=sys.stderr)
            continue
        print_answer({"userID": user, **facts}, said.format(user=user), as_json=arguments.json)
    return 1 if failed else 0


async def _join(session: Any, arguments: argparse.Namespace) -> int:
    from .output import print_answer

    joined = await session.join_group(_joining(session, arguments.group), arguments.text)
    if joined.status == "waiting":
        said = _("asked to join {name}: its owner or an administrator decides").format(name=joined.group.name)
    else:
        said = _("a member of {name}: {conversation}")
        said = said.format(name=joined.group.name, conversation=joined.conversation_id)
    print_answer(joined, said, as_json=arguments.json)
    return 0


async def _leave(session: Any, arguments: argparse.Namespace) -> int:
    from .output import print_answer

    named = group_id(session, arguments.group)
    await session.quit_group(named)
    said = _("left {group}; its conversation stays in the list").format(group=arguments.group)
    print_answer({"groupID": named, "left": True}, said, as_json=arguments.json)
    return 0
