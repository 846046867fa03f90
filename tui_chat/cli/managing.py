"""What a group's owner and administrators do, as plain commands: `tui-chat groups role | transfer | accept | …`."""

import argparse
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tui_chat.locale import N_, _

if TYPE_CHECKING:
    from tui_chat.client.session import ChatSession

Action = Callable[["ChatSession", argparse.Namespace], Awaitable[int]]


def add(inner: Any) -> list[tuple[argparse.ArgumentParser, Action]]:
    """Declare them beside the others of `groups`; answers each with what carries it out."""
    role = inner.add_parser("role", help="make a member an administrator of the group, or an ordinary member again")
    transfer = inner.add_parser("transfer", help="make a member the group's owner in your place")
    rename = inner.add_parser("rename", help="give a group another name")
    joining = inner.add_parser("joining", help="say who may join")
    mute = inner.add_parser("mute", help="let only the owner and the administrators write")
    unmute = inner.add_parser("unmute", help="let everybody in the group write again")
    applications = inner.add_parser("applications", help="who asks to join")
    accept = inner.add_parser("accept", help="let somebody in who asks to join")
    decline = inner.add_parser("decline", help="do not let somebody in who asks to join")
    dismiss = inner.add_parser("dismiss", help="end a group for everybody, for good")
    every = (role, transfer, rename, joining, mute, unmute, applications, accept, decline, dismiss)
    for command in every:
        command.add_argument("group", metavar="GROUP", help="'#name', its ID, or GROUPid")
    for command in (role, transfer):
        command.add_argument("whom", metavar="USER", help="a userID")
    for command in (accept, decline):
        command.add_argument("users", nargs="+", metavar="USER", help="a userID")
    for command, ask in (
        (transfer, N_("You become an ordinary member, and only the new owner can give it back. Hand the group on?")),
        (dismiss, N_("Its conversation stays readable, and nobody can write there again. Dismiss the group?")),
    ):
        command.add_argument("--yes", action="store_true", help="do not ask")
        command.set_defaults(ask=ask)
    role.add_argument("role", choices=("admin", "member"))
    rename.add_argument("name", metavar="NAME", help="as people read it")
    joining.add_argument(
        "join",
        choices=("free", "approval", "closed"),
        help="everybody, whom its owner or an administrator lets in, only who is added",
    )
    return list(
        zip(
            every,
            (_role, _transfer, _rename, _joining, _mute, _unmute, _applications, _accept, _decline, _dismiss),
            strict=True,
        )
    )


def sure(arguments: argparse.Namespace) -> bool:
    """Ask on the terminal before what cannot be taken back. Raises Usage where there is none to ask on."""
    import sys

    from .asking import agrees
    from .failures import Usage

    if not getattr(arguments, "ask", None) or arguments.yes:
        return True
    if not sys.stdin.isatty():
        raise Usage(_("without a terminal to ask on, this needs --yes"))
    return agrees(_(arguments.ask))


def _named(session: "ChatSession", arguments: argparse.Namespace) -> str:
    from .groups import group_id

    return group_id(session, arguments.group)


def _done(arguments: argparse.Namespace, answer: Any, said: str) -> int:
    from .output import print_answer

    print_answer(answer, said, as_json=arguments.json)
    return 0


async def _role(session: "ChatSession", arguments: argparse.Namespace) -> int:
    answer = await session.set_role(_named(session, arguments), arguments.whom, arguments.role)
    said = (
        _("{user} is an administrator of {name}")
        if arguments.role == "admin"
        else _("{user} is an ordinary member of {name}")
    )
    return _done(arguments, answer, said.format(user=arguments.whom, name=answer.group.name))


async def _transfer(session: "ChatSession", arguments: argparse.Namespace) -> int:
    answer = await session.transfer_group(_named(session, arguments), arguments.whom)
    return _done(arguments, answer, _("{user} owns {name} now").format(user=arguments.whom, name=answer.group.name))


async def _rename(session: "ChatSession", arguments: argparse.Namespace) -> int:
    answer = await session.rename_group(_named(session, arguments), arguments.name)
    return _done(arguments, answer, _("the group is called {name}").format(name=answer.group.name))


async def _joining(session: "ChatSession", arguments: argparse.Namespace) -> int:
    answer = await session.set_join_rule(_named(session, arguments), arguments.join)
    said = {
        "free": _("{name}: everybody may join"),
        "approval": _("{name}: its owner or an administrator lets people in"),
        "closed": _("{name}: only who is added is in it"),
    }
    return _done(arguments, answer, said[arguments.join].format(name=answer.group.name))


async def _mute(session: "ChatSession", arguments: argparse.Namespace) -> int:
    answer = await session.mute_all(_named(session, arguments))
    said = _("only the owner and the administrators of {name} can write now")
    return _done(arguments, answer, said.format(name=answer.group.name))


async def _unmute(session: "ChatSession", arguments: argparse.Namespace) -> int:
    answer = await session.mute_all(_named(session, arguments), muted=False)
    return _done(arguments, answer, _("everybody in {name} can write now").format(name=answer.group.name))


async def _applications(session: "ChatSession", arguments: argparse.Namespace) -> int:
    from .output import columns, moment, print_answer

    for one in await session.applications(_named(session, arguments)):
        said = columns([moment(one.time), one.user_id, one.nick or "", one.text], [16, 24, 20, 0])
        print_answer(one, said, as_json=arguments.json)
    return 0


async def _accept(session: "ChatSession", arguments: argparse.Namespace) -> int:
    return await _decide(session, arguments, accept=True)


async def _decline(session: "ChatSession", arguments: argparse.Namespace) -> int:
    return await _decide(session, arguments, accept=False)


async def _decide(session: "ChatSession", arguments: argparse.Namespace, *, accept: bool) -> int:
    from .groups import for_each

    named = _named(session, arguments)

    async def decide(user: str) -> None:
        await session.decide_application(named, user, accept=accept)

    said = _("{user} is a member now") if accept else _("{user} was declined")
    return await for_each(arguments, decide, said, {"groupID": named, "accepted": accept})


async def _dismiss(session: "ChatSession", arguments: argparse.Namespace) -> int:
    named = _named(session, arguments)
    await session.dismiss(named)
    said = _("{group} is dismissed, for good").format(group=arguments.group)
    return _done(arguments, {"groupID": named, "dismissed": True}, said)
