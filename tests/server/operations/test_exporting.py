"""The export: everything of one user, nothing of others, whole or visibly not."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tui_chat.protocol.errors import Unauthorized
from tui_chat.server.operations import blocking, devices, exporting

from .world import Device, World


def export(one: Device, between: Callable[[], None] | None = None) -> list[dict[str, Any]]:
    """Every line; `between` is called after each piece."""
    lines: list[dict[str, Any]] = []
    position: exporting.Position | None = exporting.Position()
    while position is not None:
        piece = one.world.do(exporting.piece, one.caller, position)
        lines += [json.loads(line) for line in piece.data.splitlines()]
        position = piece.next
        if between is not None:
            between()
    assert lines[-1] == {"kind": "end", "lines": len(lines) - 1}
    return lines


def texts(lines: list[dict[str, Any]]) -> dict[str, list[str]]:
    """What was said, by conversation; each message must follow its conversation's line."""
    found: dict[str, list[str]] = {}
    here = ""
    for line in lines:
        if line["kind"] == "conversation":
            here = line["conversation"]["conversationID"]
            found[here] = []
        elif line["kind"] == "message":
            assert line["message"]["conversationID"] == here
            found[here].append(line["message"]["text"])
    return found


def test_everything_of_oneself(world: World, alice: Device, bob: Device, carol: Device) -> None:
    alice.another("phone")
    world.do(blocking.block, alice.caller, "carol")
    alice.send("C2Cbob", "one")
    bob.send("C2CAlice", "two")
    alice.create("g", "bob")
    bob.send("GROUPg", "three")
    alice.delete("C2Cbob", clear=False, batch_id="kept")
    lines = export(alice)
    kinds = [line["kind"] for line in lines]
    assert kinds[:6] == ["export", "account", "device", "device", "block", "deletion"]
    assert (lines[1]["userID"], lines[1]["administrator"]) == ("Alice", True)
    assert lines[4]["block"]["userID"] == "carol"
    assert lines[5]["deletion"]["batchID"] == "kept"
    found = texts(lines)
    assert found["C2Cbob"] == ["one", "two"]
    assert found["GROUPg"][-1] == "three"
    assert found["@TIM#SYSTEM"] == []


def test_only_what_one_may_see(world: World, alice: Device, bob: Device, carol: Device) -> None:
    alice.create("g", "carol")
    carol.send("GROUPg", "before bob")
    alice.invite("g", "bob")
    carol.send("GROUPg", "with bob")
    bob.quit("g")
    carol.send("GROUPg", "after bob")
    bob.send("C2Ccarol", "gone")
    bob.clear("C2Ccarol")
    carol.send("C2Cbob", "there")
    alice.send("C2Ccarol", "not bob's")
    found = texts(export(bob))
    assert [text for text in found["GROUPg"] if text.endswith("bob")] == ["Alice added bob", "with bob"]
    assert found["C2Ccarol"] == ["there"]
    assert "C2CAlice" not in found
    assert "not bob's" not in str(found)


def test_nothing_secret(alice: Device) -> None:
    whole = json.dumps(export(alice))
    assert "hash" not in whole
    assert alice.session.access_token not in whole


def test_in_small_pieces_it_is_the_same(
    world: World, alice: Device, bob: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(250):
        bob.send("C2CAlice", f"message {number}")
    alice.create("g", "bob")
    at_once = export(alice)
    monkeypatch.setattr(exporting, "PIECE_BYTES", 1)
    pieces = 0

    def count() -> None:
        nonlocal pieces
        pieces += 1

    assert export(alice, count) == at_once
    assert pieces >= 5
    assert texts(at_once)["C2Cbob"] == [f"message {number}" for number in range(250)]


def test_what_is_cleared_meanwhile_does_not_come(
    world: World, alice: Device, bob: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(250):
        bob.send("C2CAlice", f"message {number}")
    monkeypatch.setattr(exporting, "PIECE_BYTES", 1)
    pieces = 0

    def clear() -> None:
        nonlocal pieces
        pieces += 1
        if pieces == 3:
            alice.clear("C2Cbob")

    found = texts(export(alice, clear))["C2Cbob"]
    assert found == [f"message {number}" for number in range(len(found))]
    assert len(found) < 250


def test_a_device_that_is_logged_out_gets_no_more(world: World, alice: Device) -> None:
    phone = alice.another()
    first = world.do(exporting.piece, phone.caller, exporting.Position())
    assert first.data
    world.do(devices.revoke, alice.caller, phone.caller.device_id)
    with pytest.raises(Unauthorized):
        world.do(exporting.piece, phone.caller, exporting.Position(3, 0, None))
