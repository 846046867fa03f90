"""Every endpoint against its own description: requests that are right and requests that are not, by the thousand.

No answer may be a server's failure, and none may be one that the description does not have.
"""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.accounts import Device, People
from tests.servers import AdjustableClock, LiveServer
from tui_chat.protocol.wire import SEEN_AT
from tui_chat.server.openapi import describe
from tui_chat.server.operations.events import cursor_at, epoch
from tui_chat.server.routes import ENDPOINTS
from tui_chat.server.routes.endpoint import Nothing

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
TRIED = [
    (endpoint.path, endpoint.method, mode)
    for endpoint in ENDPOINTS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or endpoint.takes_body or endpoint.query is not Nothing or "{" in endpoint.path
]


class Fuzzed:
    """A server with somebody in it who may do everything, and has something to do it with."""

    def __init__(self, data: Path) -> None:
        self.server = LiveServer(data)
        self.people = People(self.server.url)
        self._names = itertools.count(1)
        self._cursor = cursor_at(self.server.read(epoch), 1)
        self.schema = schemathesis.openapi.from_dict(describe())
        self.somebody = self._somebody()
        for name in ("bob", "carol"):
            self.people.register(name).send(f"C2C{self.somebody.user_id}", "hello")
        group = self.somebody.create_group("Team", "bob", "carol", groupID="team")
        self.somebody.send(group["conversationID"], "hello all")

    def _somebody(self) -> Device:
        """Alice anew, because a request may have logged her out, or erased her."""
        number = next(self._names)
        name = f"alice{number}"
        self.server.change_settings(registration="open")
        alice = self.people.register(name)
        self.server.write(lambda tx: tx.execute("UPDATE account SET administrator = 1 WHERE user_id = ?", name))
        self.people.register(f"friend{number}").send(f"C2C{name}", "hello")
        return alice

    def ask(self, path: str, method: str, mode: GenerationMode, examples: int) -> None:
        """So many requests to one endpoint, each answer held against the description."""
        operation = self.schema[path][method]

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=examples < 1000,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers_as_described(case: Any) -> None:
            headers = {"Authorization": f"Bearer {self.somebody.access_token}"}
            if SEEN_AT in (case.headers or {}) and (mode is GenerationMode.POSITIVE or len(case.headers[SEEN_AT]) % 2):
                # What is made up is of no server's numbering: the call would be refused before its body is looked at.
                headers[SEEN_AT] = self._cursor
            response = case.call(base_url=self.server.url, headers=headers, timeout=20)
            case.validate_response(response, checks=CHECKS)
            if response.status_code == 401 and path not in ("/v1/login", "/v1/token/refresh"):
                self.somebody = self._somebody()

        answers_as_described()

    def close(self) -> None:
        self.people.close()
        self.server.stop()


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    with pytest.MonkeyPatch.context() as patch:
        # Limits are not what is looked for here.
        patch.setattr(AdjustableClock, "monotonic", lambda _self: time.monotonic() * 1e6)
        patch.setattr("tui_chat.protocol.limits.WAIT_SECONDS_MOST", 0.01)
        there = Fuzzed(tmp_path_factory.mktemp("fuzzed"))
        yield there
        there.close()


@pytest.mark.slow
@pytest.mark.parametrize(("path", "method", "mode"), TRIED, ids=[f"{m} {path} {mode.value}" for path, m, mode in TRIED])
def test_every_answer_is_described(fuzzed: Fuzzed, path: str, method: str, mode: GenerationMode) -> None:
    fuzzed.ask(path, method, mode, 15)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("path", "method", "mode"), TRIED, ids=[f"{m} {path} {mode.value}" for path, m, mode in TRIED])
def test_every_answer_is_described_for_long(fuzzed: Fuzzed, path: str, method: str, mode: GenerationMode) -> None:
    fuzzed.ask(path, method, mode, 1_000)
