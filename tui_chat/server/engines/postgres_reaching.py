"""Reaching PostgreSQL: a session anew where one is broken, and what callers are told while there is none to be had."""

import logging
import time
from typing import Final

import psycopg

from tui_chat.protocol.errors import Unavailable

from .postgres_connection import as_refusal, connect, described
from .postgres_session import Session

DOWN_SECONDS: Final = 0.5
"""After a connection could not be made, nobody tries again for so long: what comes meanwhile is refused at once."""

_log = logging.getLogger(__name__)


class Reaching:
    """The way to one database, for all threads."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._down_until = 0.0
        self._logged = ""
        """What the database said last when it could not be used."""

    def connected(self, session: Session | None) -> Session:
        """The session, or another one where that is broken. Raises Unavailable."""
        if session is not None and not session.closed:
            return session
        if time.monotonic() < self._down_until:
            raise Unavailable("the database cannot be reached just now")
        try:
            session = Session(connect(self._address))
        except psycopg.Error as failure:
            self._down_until = time.monotonic() + DOWN_SECONDS
            raise self.refusal(failure) from failure
        self._logged = ""
        return session

    def refusal(self, failure: BaseException) -> BaseException:
        """What a caller is told of a failure of the database. What that said goes into the log, once in a row."""
        refusal = as_refusal(failure)
        if refusal is not failure and (said := described(failure)) != self._logged:
            self._logged = said
            _log.warning("%s: %s", refusal, said)
        return refusal
