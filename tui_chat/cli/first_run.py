"""What `tui-chat` asks somebody who has no account yet."""

from tui_chat.locale import _


def begin() -> int:
    """Offer the demo, a server elsewhere, or a server here; then do it."""
    print(_("Welcome. There is no account on this machine yet."))
    print(_("  1  Try it here (demo; nothing leaves this machine)"))
    print(_("  2  Connect to a server"))
    print(_("  3  Start a server on this machine"))
    while True:
        match input(_("1, 2 or 3 (Enter leaves): ")).strip():
            case "":
                return 0
            case "1":
                return _command(["demo"])
            case "2":
                return _connect()
            case "3":
                return _serve()
            case _:
                print(_("One of the three numbers, please."))


def _connect() -> int:
    """Ask until an account is there; an empty answer leaves."""
    code = 0
    while True:
        server = _address()
        user = input(_("Your userID: ")).strip() if server else ""
        if not server or not user:
            return code
        invite = input(_("Invitation, if you have one and no account yet (Enter signs in): ")).strip()
        account = ["--server", server, "--user", user]
        code = _command(["register", *account, "--invite", invite] if invite else ["login", *account])
        if code == 0:
            return _command([])
        print(_("That did not work; once more (Enter leaves)."))


def _address() -> str:
    from .account import server_url
    from .failures import Usage

    while True:
        server = input(_("Address of the server (https://…): ")).strip()
        if not server:
            return ""
        try:
            return server_url(server)
        except Usage as error:
            print(error)


def _serve() -> int:
    sync = _yes(_("Sync deletions across each person's devices? [Y/n] "))
    print(_("The server runs until you press Ctrl+C here. In another terminal:"))
    print("  tui-chat register --server http://127.0.0.1:8790 --user NAME && tui-chat")
    return _command(["serve", "--sync-deletions", "on" if sync else "off"])


def _command(words: list[str]) -> int:
    from . import main

    return main(words)


def _yes(question: str) -> bool:
    """Enter is yes; anything but yes and no is asked again."""
    while True:
        match input(question).strip().lower():
            case "" | "y" | "yes" | "j" | "是":
                return True
            case "n" | "no" | "否":
                return False
            case _:
                print(_("y or n, please."))
