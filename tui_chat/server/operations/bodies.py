"""Taking away for good what was said, once nobody can see it any more; the numbers of the messages stay.

The one place for it: whatever keeps a message's words, or what others said about it, in a table of its own (search,
former texts, reactions) is emptied here. SQLite overwrites what is deleted (`secure_delete`), but for copies that it
left behind when it split pages: of 200,000 texts nine. Those go when the engine starts the next time.
"""

from typing import Final

from tui_chat.server.engines import ERASED, Transaction

from . import indexing

_OF_MESSAGES: Final = ("reaction", "former_message")
"""Tables with rows by (conversation, seq)."""


def erase_bodies(tx: Transaction, conversation: int, after: int, through: int) -> None:
    """Take the bodies of the messages above `after` up to and with `through`, and all that hangs on them."""
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        ERASED,
        str(tx.now),
    )
    tx.execute(
        "UPDATE message SET text = NULL, extra = NULL WHERE conversation = ? AND seq > ? AND seq <= ?",
        conversation,
        after,
        through,
    )
    for table in _OF_MESSAGES:
        tx.execute(
            f"DELETE FROM {table} WHERE conversation = ? AND seq > ? AND seq <= ?",  # noqa: S608 - one of these names
            conversation,
            after,
            through,
        )
    indexing.erased(tx, conversation, through)
    tx.many(
        "DELETE FROM mention WHERE account = ? AND conversation = ? AND seq <= ?",
        [
            (account, conversation, through)
            for (account,) in tx.all("SELECT account FROM state WHERE conversation = ?", conversation)
        ],
    )
