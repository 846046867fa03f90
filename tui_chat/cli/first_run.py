"""What `tui-chat` asks somebody who has no account yet."""

from tui_chat.locale import _


def begin() -> int:
    """Offer the demo, a server elsewhere, or a server here; then do it."""
    print(_("Welcome. There is no account on this machine yet."))
    print(_("  1  Try it here (demo; nothing leaves this machine)"))
    print(_("  2  Connect to a server"))
    print(_("  3  Start a server on this machine"))
    match input(_("1, 2 or 3 (Enter leaves): ")).strip():
        case "1":
            return _command(["demo"])
        case "2":
            return _connect()
        case "3":
            return _serve()
        case _:
            return 0


def _connect() -> int:
    server = input(_("Address of the server (https://…): ")).strip()
    user = input(_("Your userID: ")).strip()
    if not server or not user:
        return 0
    invite = input(_("Invitation, if you have one and no account yet (Enter signs in): ")).strip()
    account = ["--server", server, "--user", user]
    code = _command(["register", *account, "--invite", invite] if invite else ["login", *account])
    return code or _command([])


def _serve() -> int:
    sync = input(_("Sync deletions across each person's devices? [Y/n] ")).strip().lower() not in ("n", "no")
    print(_("The server runs until you press Ctrl+C here. In another terminal:"))
    print("  tui-chat register --server http://127.0.0.1:8790 --user NAME && tui-chat")
    return _command(["serve", "--sync-deletions", "on" if sync else "off"])


def _command(words: list[str]) -> int:
    from . import main

    return main(words)
