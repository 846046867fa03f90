"""openapi.json is what the routes and structs are."""

import json
import os
import re
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.accounts import People
from tui_chat.protocol.errors import ERRORS, InvalidConversation
from tui_chat.protocol.ids import parse_conversation_id
from tui_chat.server.openapi import describe
from tui_chat.server.routes import ENDPOINTS

BESIDE = {("/v1/stream", "get"), ("/metrics", "get"), ("/openapi.json", "get")}


def test_every_endpoint_is_described() -> None:
    paths = describe()["paths"]
    assert {(endpoint.path, endpoint.method.lower()) for endpoint in ENDPOINTS} | BESIDE == {
        (path, method) for path, methods in paths.items() for method in methods
    }
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for methods in paths.values() for operation in methods.values())


def test_every_reference_leads_somewhere() -> None:
    description = describe()
    names = set(description["components"]["schemas"])
    assert set(re.findall(r"'#/components/schemas/([^']+)'", str(description))) <= names
    kinds = set(description["components"]["responses"])
    assert set(re.findall(r"'#/components/responses/([^']+)'", str(description))) == kinds


def test_bodies_have_their_wire_names() -> None:
    schemas = describe()["components"]["schemas"]
    assert set(schemas["DeleteConversations"]["properties"]) == {
        "conversationIDList",
        "clearHistoryMessage",
        "upTo",
        "operationID",
        "batchID",
    }
    assert schemas["DeleteConversations"]["additionalProperties"] is False
    assert schemas["DeleteConversations"]["required"] == ["conversationIDList"]
    assert "EventRange" in schemas


def test_refusals_are_described_with_their_status() -> None:
    delete = describe()["paths"]["/v1/conversations/delete"]["post"]
    assert set(delete["responses"]) >= {"200", "400", "401", "409", "413", "429", "503"}
    assert "too_many_conversations" in delete["responses"]["400"]["description"]
    assert delete["security"] == [{"token": []}]
    assert "security" not in describe()["paths"]["/v1/login"]["post"]


LIST = "invalid_conversation operation_reused too_many_conversations"
OWNERS = "forbidden group_not_found not_a_member operation_reused"
MESSAGE = "/v1/conversations/{conversation_id}/messages/{message_seq}"
NOT_THERE = "conversation_not_found invalid_conversation message_not_found not_a_member"
REFUSALS = {
    "POST /v1/conversations/{conversation_id}/messages": "blocked client_id_reused group_muted group_not_found"
    " user_erased"
    " invalid_conversation message_not_found not_a_member read_only text_empty text_too_long user_not_found",
    "GET /v1/conversations/{conversation_id}/messages": "conversation_not_found invalid_conversation",
    f"PATCH {MESSAGE}": f"{NOT_THERE} blocked group_muted message_recalled not_changeable not_your_message"
    " operation_reused text_empty text_too_long user_erased user_not_found",
    f"DELETE {MESSAGE}": f"{NOT_THERE} not_changeable not_your_message operation_reused recall_expired",
    f"GET {MESSAGE}/readers": f"{NOT_THERE} message_recalled not_your_message too_many_readers",
    f"PUT {MESSAGE}/reactions/{{emoji}}": f"{NOT_THERE} blocked invalid_emoji message_recalled not_changeable"
    " too_many_reactions user_erased",
    f"DELETE {MESSAGE}/reactions/{{emoji}}": f"{NOT_THERE} invalid_emoji message_recalled not_changeable",
    "GET /v1/conversations": "",
    "POST /v1/conversations/delete": f"{LIST} batch_undone undo_expired",
    "POST /v1/conversations/clear": f"{LIST} batch_undone undo_expired",
    "POST /v1/conversations/restore": "operation_not_found undo_expired",
    "POST /v1/conversations/read": LIST,
    "POST /v1/conversations/flags": LIST,
    "GET /v1/conversations/deletions": "",
    "DELETE /v1/conversations/deletions/{batch_id}": "batch_undone operation_not_found",
    "GET /v1/conversations/{conversation_id}": "conversation_not_found invalid_conversation",
    "GET /v1/sync": "",
    "POST /v1/register": "invalid_name name_taken registration_closed",
    "POST /v1/login": "invalid_name wrong_password",
    "POST /v1/token/refresh": "unauthorized",
    "POST /v1/logout": "",
    "GET /v1/me": "",
    "PATCH /v1/me": "invalid_name",
    "DELETE /v1/me": "last_administrator password_mismatch",
    "POST /v1/password": "password_mismatch",
    "GET /v1/devices": "",
    "DELETE /v1/devices/{device_id}": "device_not_found",
    "POST /v1/groups": "blocked invalid_name name_taken operation_reused too_many_members user_not_found",
    "GET /v1/groups/{group_id}": "group_not_found",
    "PATCH /v1/groups/{group_id}": f"{OWNERS} invalid_name",
    "DELETE /v1/groups/{group_id}": OWNERS,
    "POST /v1/groups/{group_id}/join": "forbidden group_not_found operation_reused too_many_members",
    "POST /v1/groups/{group_id}/quit": "group_not_found not_a_member operation_reused owner_cannot_quit",
    "GET /v1/groups/{group_id}/members": "group_not_found not_a_member",
    "POST /v1/groups/{group_id}/members": f"{OWNERS} blocked too_many_members user_not_found",
    "PATCH /v1/groups/{group_id}/members/{user_id}": f"{OWNERS} too_many_administrators user_not_found",
    "POST /v1/groups/{group_id}/transfer": f"{OWNERS} user_not_found",
    "POST /v1/groups/{group_id}/mute": OWNERS,
    "GET /v1/groups/{group_id}/applications": "forbidden group_not_found not_a_member",
    "POST /v1/groups/{group_id}/applications/{user_id}": f"{OWNERS} application_not_found too_many_members"
    " user_not_found",
    "DELETE /v1/groups/{group_id}/members/{user_id}": f"{OWNERS} user_not_found",
    "GET /v1/search": "conversation_not_found invalid_conversation",
    "GET /v1/users": "",
    "GET /v1/users/{user_id}": "user_not_found",
    "GET /v1/blocks": "",
    "PUT /v1/blocks/{user_id}": "too_many_blocks user_not_found",
    "DELETE /v1/blocks/{user_id}": "user_not_found",
    "GET /v1/export": "",
    "GET /v1/admin/settings": "administrator_only",
    "PATCH /v1/admin/settings": "administrator_only",
    "POST /v1/admin/invites": "administrator_only",
    "GET /v1/admin/users": "administrator_only",
    "GET /v1/admin/users/{user_id}": "administrator_only user_not_found",
    "PATCH /v1/admin/users/{user_id}": "administrator_only last_administrator user_not_found",
    "DELETE /v1/admin/users/{user_id}": "administrator_only forbidden last_administrator user_not_found",
    "DELETE /v1/admin/messages/{conversation_id}/{message_seq}": "administrator_only conversation_not_found"
    " invalid_conversation message_not_found",
    "GET /v1/admin/audit": "administrator_only",
    "POST /v1/admin/backup": "administrator_only backup_running",
    "GET /healthz": "",
}
"""What each endpoint refuses with, beside what all do."""


NUMBERED = {
    "POST /v1/conversations/delete",
    "POST /v1/conversations/clear",
    "POST /v1/conversations/read",
    "POST /v1/conversations/{conversation_id}/messages",
    f"PATCH {MESSAGE}",
    f"DELETE {MESSAGE}",
    f"PUT {MESSAGE}/reactions/{{emoji}}",
    f"DELETE {MESSAGE}/reactions/{{emoji}}",
}
"""The calls that name messages by numbers that somebody has seen."""


def test_every_refusal_of_an_endpoint_is_described() -> None:
    found = {}
    for path, methods in describe()["paths"].items():
        for method, operation in methods.items():
            codes = {
                code
                for status, answer in operation["responses"].items()
                if status != "200"
                for code in answer["description"].split(", ")
            }
            if (path, method) in BESIDE:
                continue
            assert ("server_restored" in codes) == (f"{method.upper()} {path}" in NUMBERED)
            assert codes >= {"invalid_request", "internal", "unavailable", "storage_full", "forbidden"}
            codes -= {"invalid_request", "internal", "unavailable", "storage_full", "too_frequent", "body_too_large"}
            codes -= {"server_restored"}
            codes -= {"unauthorized"} if "security" in operation else set()
            found[f"{method.upper()} {path}"] = codes - {"forbidden"}
    assert found == {endpoint: set(codes.split()) - {"forbidden"} for endpoint, codes in REFUSALS.items()}


def test_refusals_beside_the_endpoints_are_described(people: People) -> None:
    paths = describe()["paths"]
    found = {path: set(paths[path]["get"]["responses"]) for path, _ in BESIDE}
    assert found == {
        "/v1/stream": {"101", "400", "401", "403", "404", "429", "503"},
        "/metrics": {"200", "400", "401", "403", "429", "500", "503"},
        "/openapi.json": {"200", "400", "403", "503"},
    }
    for path in ("/metrics", "/openapi.json"):
        answer = people.http.get(path, headers={"Origin": "https://example.com"})
        assert answer.json()["error"]["code"] in found_codes(path, answer.status_code)


def found_codes(path: str, status: int) -> list[str]:
    """The codes with which an address refuses."""
    codes: str = describe()["paths"][path]["get"]["responses"][str(status)]["description"]
    return codes.split(", ")


def test_every_code_is_described() -> None:
    description = describe()
    codes = set(description["components"]["schemas"]["ErrorBody"]["properties"]["code"]["enum"])
    assert codes == set(ERRORS) - {"not_connected", "unexpected"}
    assert codes == set(description["components"]["schemas"]["ItemFailure"]["properties"]["code"]["enum"])
    named = {
        code
        for methods in description["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if status >= "400"
        for code in answer["description"].split(", ")
    }
    assert named <= codes


def test_it_is_served(people: People) -> None:
    answer = people.http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == describe()


def test_no_address_is_taken_for_one_with_parameters() -> None:
    paths = list(dict.fromkeys(endpoint.path for endpoint in ENDPOINTS))
    for place, path in enumerate(paths):
        taken_for = [other for other in paths[:place] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", other), path)]
        assert taken_for == []


DESCRIPTION = Path(__file__).with_name("openapi.json")


def test_the_description_is_the_one_in_the_repository() -> None:
    """So that a change of the interface is seen in review; after one, run this with UPDATE_OPENAPI=1."""
    made = json.dumps(describe() | {"info": {"title": "tui-chat"}}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_OPENAPI"):
        DESCRIPTION.write_text(made, encoding="utf-8")
    kept = DESCRIPTION.read_text(encoding="utf-8")
    changes = list(unified_diff(kept.splitlines(), made.splitlines(), "kept", "made", n=2, lineterm=""))
    assert not changes, "\n".join(changes[:60])


def test_names_have_their_forms_and_numbers_their_bounds() -> None:
    description = describe()
    delete = description["components"]["schemas"]["DeleteConversations"]["properties"]
    assert delete["conversationIDList"]["maxItems"] == 100
    pattern = re.compile(delete["conversationIDList"]["items"]["pattern"])
    for name in ("C2Cbob", "GROUP@TGS#MFRGGZDFMZTWQ2LK", "@TIM#SYSTEM"):
        assert pattern.search(name)
        parse_conversation_id(name)
    for name in ("bob", "C2C", "C2C_bob", "GROUP", "@TIM#OTHER", "C2Cbob ", f"C2C{'x' * 33}"):
        assert not pattern.search(name)
        with pytest.raises(InvalidConversation):
            parse_conversation_id(name)
    seq = delete["upTo"]["anyOf"][0]["additionalProperties"]
    assert (seq["minimum"], seq["maximum"]) == (0, 2**53)
    parameters = {
        parameter["name"]: parameter["schema"]
        for methods in description["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
    }
    assert parameters["message_seq"]["type"] == "integer"
    assert parameters["limit"]["maximum"] == 100
    assert all("pattern" in parameters[name] for name in ("conversation_id", "user_id", "group_id", "batch_id"))


def test_refusals_say_when_to_come_back() -> None:
    description = describe()
    for path, methods in description["paths"].items():
        for operation in methods.values():
            for status in ("429", "503"):
                if status in operation["responses"]:
                    kind = operation["responses"][status]["$ref"].rpartition("/")[2]
                    assert "Retry-After" in description["components"]["responses"][kind]["headers"], path
