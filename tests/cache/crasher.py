"""A process that writes a cache until it is killed: `python -m tests.cache.crasher DIRECTORY FIRST`.

It prints each step's number once what the step wrote may not be lost any more. Step n: message n arrives, row n % 20
gets n as its text and the cursor is n, in one save; every few steps somebody looks at the conversation, a command is
queued, the file is rewritten, another conversation's history is cleared. What is to be cleared stands in the save of
the cursor that counts it, as the client does it: killed before that, the step is done again.
"""

import asyncio
import os
import sys
from pathlib import Path

from tests.cache.samples import message, row
from tui_chat.cache.account import AccountCache

ROWS = 20
TALK = "C2Ctalk"


async def write_for_ever(directory: Path, first: int) -> None:
    """Until the end of the process."""
    cache = AccountCache.open(directory)
    cache._storage._compact_from = cache._storage._compact_at = 20_000
    number = first
    while True:
        arrived, clear = [message(TALK, number)], {}
        if number % 7 == 0:
            clear = {f"C2Ccleared{number}": 2}
            for cleared in clear:
                arrived.append(message(cleared, 1, text=f"secret-{number}."))
                cache.history.add(cleared, [message(cleared, 2, text=f"secret-{number}.")])
        cache.save(upsert=[row(number % ROWS, text=str(number))], messages=arrived, cursor=str(number), clear=clear)
        if number % 5 == 0:
            cache.history.tail(TALK, 1)
        if number % 3 == 0:
            cache.outbox.add({"n": number})
            cache.outbox.remove(*[entry for entry, _ in cache.outbox.all()[:-4]])
        if clear:
            await cache.purge()
        if number % 11 == 0:
            await cache.flush()
        if number % 3 == 0 or number % 11 == 0:
            os.write(1, b"%d\n" % number)
        number += 1


if __name__ == "__main__":
    asyncio.run(write_for_ever(Path(sys.argv[1]), int(sys.argv[2])))
