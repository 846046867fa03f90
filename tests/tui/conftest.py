"""What the screen does after a time of its own is no part of what most of its tests are about."""

import pytest

from tui_chat.tui.app import ChatApp


@pytest.fixture(autouse=True)
def _toasts_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is: what was said is still there when the test looks for it."""
    monkeypatch.setattr(ChatApp, "NOTIFICATION_TIMEOUT", 3_600)
