"""Groups over HTTP: the shapes of bodies and answers, and codes by which clients translate."""

from typing import Any

import pytest

from tests.accounts import Device, Json, People, refusal

G = "/v1/groups/g"


@pytest.fixture
def ann(people: People) -> Device:
    """Owns a group; bob is an administrator of it, cat a member; dan is outside."""
    ann = people.register("ann")
    for name in ("bob", "cat", "dan"):
        people.register(name)
    ann.create_group("The group", "bob", "cat", groupID="g", join="approval")
    ann.patch(f"{G}/members/bob", {"role": "admin"})
    return ann


def device(people: People, name: str) -> Device:
    return people.login(name)


def test_an_application_from_its_beginning_to_its_end(people: People, ann: Device) -> None:
    dan = device(people, "dan")
    answer = dan.post(f"{G}/join", {"text": "let me in"})
    assert answer == {
        "group": {
            "groupID": "g",
            "name": "The group",
            "join": "approval",
            "owner": "ann",
            "muted": False,
            "dismissed": False,
            "memberCount": 3,
        },
        "conversationID": "GROUPg",
        "eventSeq": 0,
        "status": "waiting",
    }
    page = ann.get(f"{G}/applications")
    assert page["next"] is None
    [waiting] = page["applications"]
    assert (waiting["userID"], waiting["text"], set(waiting)) == (
        "dan",
        "let me in",
        {"userID", "nick", "text", "time"},
    )
    notice = ann.history("@TIM#SYSTEM")[-1]
    assert (notice["type"], notice["from"]) == ("notice", "@TIM#SYSTEM")
    assert {name: notice["tip"][name] for name in ("what", "operator", "userIDList", "groupID", "text")} == {
        "what": "applied",
        "operator": "dan",
        "userIDList": [],
        "groupID": "g",
        "text": "let me in",
    }
    since = dan.cursor()
    accepted = ann.post(f"{G}/applications/dan", {"accept": True, "operationID": "op"})
    assert accepted["group"]["memberCount"] == 4
    assert accepted["eventSeq"] > 0
    assert ann.post(f"{G}/applications/dan", {"accept": True, "operationID": "op"}) == accepted
    assert [(one["kind"], one["message"]["tip"]["what"]) for one in dan.events(since)] == [
        ("message.new", "accepted"),
        ("message.new", "accepted"),
    ]
    assert ann.get(f"{G}/applications")["applications"] == []
    assert refusal(lambda: ann.post(f"{G}/applications/dan", {"accept": False})).code == "application_not_found"


def test_a_role_reaches_everybody(people: People, ann: Device) -> None:
    cat = device(people, "cat")
    since = cat.cursor()
    ann.patch(f"{G}/members/CAT", {"role": "admin"})
    tip, notice, changed = cat.events(since)
    assert (tip["message"]["tip"]["what"], tip["message"]["tip"]["role"]) == ("role", "admin")
    assert notice["conversation"]["conversationID"] == "@TIM#SYSTEM"
    assert (changed["kind"], changed["groupID"], changed["what"]) == ("member.changed", "g", "role")
    assert changed["member"] == {"userID": "cat", "nick": None, "role": "admin"}
    assert changed["conversation"]["role"] == "admin"
    roles = {one["userID"]: one["role"] for one in ann.get(f"{G}/members")["members"]}
    assert roles == {"ann": "owner", "bob": "admin", "cat": "admin"}


def test_muting_reaches_everybody(people: People, ann: Device) -> None:
    cat = device(people, "cat")
    with cat.stream() as stream:
        assert ann.post(f"{G}/mute", {"muted": True})["group"]["muted"] is True
        tip, changed = stream.event(), stream.event()
    assert (tip["kind"], tip["conversation"]["mutedAll"], tip["conversation"]["muted"]) == ("message.new", True, False)
    assert (changed["kind"], changed["group"]["muted"]) == ("group.changed", True)
    refused = refusal(lambda: cat.send("GROUPg", "hello"))
    assert (refused.status, refused.code, refused.details["tencent"]) == (403, "group_muted", 10017)
    device(people, "bob").send("GROUPg", "administrators can")
    assert cat.conversation("GROUPg")["mutedAll"] is True


def test_handing_on(people: People, ann: Device) -> None:
    assert ann.post(f"{G}/transfer", {"userID": "cat"})["group"]["owner"] == "cat"
    assert refusal(lambda: ann.remove(G)).code == "forbidden"
    assert ann.conversation("GROUPg")["role"] == "member"
    assert refusal(lambda: device(people, "cat").post(f"{G}/quit")).code == "owner_cannot_quit"


def test_a_dismissal_is_answered_again(ann: Device) -> None:
    first = ann.remove(G, operationID="op")
    assert first["group"]["dismissed"] is True
    assert ann.remove(G, operationID="op") == first
    assert refusal(lambda: ann.remove(G)).code == "group_not_found"


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("POST", f"{G}/join", {"text": 1}, "$.text"),
        ("POST", f"{G}/join", {"text": "x" * 121}, "120"),
        ("POST", f"{G}/join", {"reason": "x"}, "reason"),
        ("POST", f"{G}/transfer", {}, "userID"),
        ("POST", f"{G}/mute", {}, "muted"),
        ("POST", f"{G}/mute", {"muted": "yes"}, "$.muted"),
        ("PATCH", f"{G}/members/cat", {"role": "owner"}, "owner"),
        ("PATCH", f"{G}/members/cat", {}, "role"),
        ("POST", f"{G}/applications/dan", {}, "accept"),
        ("PATCH", G, {}, "name"),
        ("PATCH", G, {"join": "everybody"}, "$.join"),
        ("GET", f"{G}/applications?limit=0", None, "limit"),
    ],
)
def test_what_is_misshapen_is_named(ann: Device, method: str, path: str, body: Json | None, named: str) -> None:
    answer = ann.request(method, path, body)
    assert answer.status_code == 400
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == "invalid_request"
    assert named in error["message"]


@pytest.mark.parametrize("path", ["/v1/groups/none/applications", "/v1/groups/none/applications/dan"])
def test_where_there_is_no_group(ann: Device, path: str) -> None:
    method, body = ("POST", {"accept": True}) if path.endswith("dan") else ("GET", None)
    assert ann.request(method, path, body).json()["error"]["code"] == "group_not_found"


def test_nobody_writes_to_the_system(ann: Device) -> None:
    assert refusal(lambda: ann.send("@TIM#SYSTEM", "hello")).code == "read_only"
