"""The `tui-chat` command, one file per subcommand."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from .exits import FAILED, INTERRUPTED, USAGE

if TYPE_CHECKING:
    from argparse import Namespace


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0 done, 1 some failed, 2 usage, 3 not connected or not signed in.

    Every foreseen failure is one line on standard error that says what happened and what to do.
    """
    words = sys.argv[1:] if argv is None else argv
    _open_what_is_closed()
    code = _carry_out(words) if words else _open_screen()
    _give_up_output()
    return code


def _open_what_is_closed() -> None:
    """Where a shell closed one of the three streams (<&-, 2>&-): nothing comes from there, nothing is written there.

    Otherwise Python has None in its place, and would print what belongs on standard error among the answer.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - for as long as the program runs
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _open_screen() -> int:
    """Without a word that is the client, whose first frame waits for no other command's words."""
    from types import SimpleNamespace

    from .open_client import garbage_left_alone, run

    with garbage_left_alone():
        return _run(cast("Namespace", SimpleNamespace(run=run, json=False)))  # argparse's is the same, and not loaded


def _carry_out(words: Sequence[str]) -> int:
    """What the words ask for."""
    from tui_chat.locale import use_language_when_needed

    from .parser import build_parser

    use_language_when_needed(_language_of_settings)
    arguments = build_parser().parse_args(words)
    return _logged(arguments) if getattr(arguments, "debug", False) else _run(arguments)


def _language_of_settings() -> str | None:
    """Whatever else is wrong in the file is told by whoever reads it."""
    from tui_chat.config import Paths
    from tui_chat.settings_file import read_leniently

    return read_leniently(Paths.of_user().settings_file).settings.language


def _logged(arguments: Namespace) -> int:
    """Run it with a log, and say where that is."""
    import logging

    from tui_chat.config import Paths
    from tui_chat.locale import _

    from .debugging import debug_log, say_what_runs

    try:
        with debug_log(Paths.of_user().state) as path:
            said = _("what happens is written to {path}").format(path=path)
            print(f"tui-chat: {said}", file=sys.stderr)
            say_what_runs(arguments.run.__module__)
            code = _run(arguments)
            logging.getLogger(__name__).info("ended with exit code %d", code)
            return code
    except OSError as error:
        said = _("no log can be written: {path}: {reason}").format(path=error.filename, reason=error.strerror)
        print(f"tui-chat: {said}", file=sys.stderr)
        return FAILED


def _run(arguments: Namespace) -> int:
    """Carry out what was asked for; the exit code."""
    import logging

    from .failures import describe

    log = logging.getLogger("tui_chat.client")
    if (
        not log.hasHandlers()
    ):  # Without one, warnings go to the terminal: in the middle of a screen, or beside our line.
        log.addHandler(logging.NullHandler())
    _name_unknown_variables()
    try:
        if getattr(arguments, "server", None) or getattr(arguments, "user", None):
            from .account import ask_password

            ask_password(arguments)
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return FAILED  # The reader of our output (head, less) has gone: nothing is left to say.
    except Exception as error:
        _log_failure(error)
        described = describe(error)
        if described is None:
            from tui_chat.config import Paths

            from .crash import report

            described = report(error, Paths.of_user().state), FAILED
        message, code = described
        print(f"tui-chat: {message}", file=sys.stderr)
        return code


def _name_unknown_variables() -> None:
    """Say which variables look like settings and are none: a misspelt one would do nothing without a word."""
    if not any(name.upper().startswith("TUI_CHAT_") for name in os.environ):
        return
    from tui_chat.config import unknown_variables
    from tui_chat.locale import _

    for name, near in unknown_variables(os.environ).items():
        said = _("{name} in the environment is no setting and does nothing").format(name=name)
        hint = "" if near is None else _("; did you mean {near}?").format(near=near)
        print(f"tui-chat: {said}{hint}", file=sys.stderr)


def _give_up_output() -> None:
    """Where what is written can be written no more: let go of it, or Python tries again at exit, and exits with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _log_failure(error: Exception) -> None:
    """For --debug."""
    import logging

    logging.getLogger(__name__).debug("failed", exc_info=error)


__all__ = ["FAILED", "INTERRUPTED", "USAGE", "main"]
