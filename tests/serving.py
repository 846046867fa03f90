"""`python -m tests.serving PORT DIR`: a server as `tui-chat serve` runs it, and nothing else of the program."""

import asyncio
import sys
from pathlib import Path

from tui_chat.server.run import Listening, ServerOptions, new_event_loop, serve


def announce(url: Listening) -> None:
    """Say where, as `tui-chat serve` does."""
    print(f"Listening on {url}", flush=True)


if __name__ == "__main__":
    options = ServerOptions(port=int(sys.argv[1]), data=Path(sys.argv[2]))
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(options, ready=announce))
