"""How the words of a command line are read, and what is said of those that are wrong: one line, in the reader's
language."""

import argparse
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from tui_chat.locale import N_, _

from .exits import USAGE

_FAULTS: Final = frozenset(
    {
        N_("argument %(argument_name)s: %(message)s"),
        N_("the following arguments are required: %s"),
        N_("expected one argument"),
        N_("expected at most one argument"),
        N_("expected at least one argument"),
        N_("not allowed with argument %s"),
        N_("one of the arguments %s is required"),
        N_("ignored explicit argument %r"),
        N_("ambiguous option: %(option)s could match %(matches)s"),
        N_("invalid %(type)s value: %(value)r"),
    }
)
"""argparse's own words for what is wrong. Its other words are those of --help, which is English, and instant because
nobody looks for the reader's language."""


class Words(argparse.ArgumentParser):
    """A command's words and options in any order; what is wrong with them is one line that names the command.

    argparse by itself gives an optional word up at the first option (`send bob --json TEXT`), and leaves what a command
    does not know to the parser of the whole, which says nothing of the command. Commands are of this class as well:
    argparse makes them of their parent's.
    """

    _by_order = False
    """Within `parse_known_intermixed_args`, which asks for the options alone, then for the words."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """argparse: for a command this is where its words are read. Ends the program where it knows one of them not."""
        if self._by_order:
            return super().parse_known_args(args, namespace)
        if self._subparsers is not None:
            found, unknown = super().parse_known_args(args, namespace)
        else:
            self._by_order = True
            try:
                found, unknown = self.parse_known_intermixed_args(args, namespace)
            finally:
                self._by_order = False
        if unknown:
            self.error(self._unknown(unknown))
        return found, []

    def error(self, message: str) -> NoReturn:
        """argparse: say what is wrong and where to read on, and end the program."""
        from tui_chat.protocol.text import clean_name

        more = _("{said} See {command} --help") if message.endswith(("?", "？")) else _("{said}; see {command} --help")
        self.exit(USAGE, f"tui-chat: {clean_name(more.format(said=message.rstrip('.。'), command=self.prog))}\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """argparse: a word of which there are only some. Its own words name them all, and none that is like it."""
        if action.choices is None or value in action.choices:
            return
        if isinstance(action, argparse._SubParsersAction):
            said = _("no such command {word!r}").format(word=value)
            raise argparse.ArgumentError(None, _and_nearest(said, value, action.choices))
        choices = ", ".join(map(str, action.choices))
        raise argparse.ArgumentError(
            action, _("takes one of {choices}, not {word!r}").format(choices=choices, word=value)
        )

    def _unknown(self, words: list[str]) -> str:
        """What is said of words that the command does not know: of the first option, else of the first word."""
        option = next((word for word in words if word.startswith("-")), None)
        if option is None:
            return _("{word!r} is one word too many (a text with spaces stands in quotes)").format(word=words[0])
        option = option.partition("=")[0]
        said = _("no such option {word!r}").format(word=option)
        return _and_nearest(said, option, self._option_string_actions)


def _and_nearest(said: str, word: str, known: Iterable[str]) -> str:
    from tui_chat.settings_faults import nearest

    names = {name.lstrip("-"): name for name in known}  # dashes alone make no option like another
    near = nearest(word.lstrip("-"), names)
    return said if near is None else _("{said}; did you mean {near!r}?").format(said=said, near=names[near])


def _argparses(message: str) -> str:
    return _(message) if message in _FAULTS else message


# argparse takes its words from gettext, under these names of its module, and has no other place for a catalogue.
vars(argparse).update(_=_argparses)
