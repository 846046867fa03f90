"""openapi.json is what the routes and structs are."""

import re

from tests.accounts import People
from tui_chat.server.openapi import describe
from tui_chat.server.routes import ENDPOINTS


def test_every_endpoint_is_described() -> None:
    paths = describe()["paths"]
    assert {(endpoint.path, endpoint.method.lower()) for endpoint in ENDPOINTS} == {
        (path, method) for path, methods in paths.items() for method in methods
    }
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for methods in paths.values() for operation in methods.values())


def test_every_reference_leads_somewhere() -> None:
    description = describe()
    names = set(description["components"]["schemas"])
    assert set(re.findall(r"'#/components/schemas/([^']+)'", str(description))) <= names


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
            codes -= {"invalid_request", "internal", "unavailable", "storage_full", "too_frequent", "body_too_large"}
            codes -= {"unauthorized"} if "security" in operation else set()
            found[f"{method.upper()} {path}"] = codes
    assert found == {endpoint: set(codes.split()) for endpoint, codes in REFUSALS.items()}


def test_it_is_served(people: People) -> None:
    answer = people.http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == describe()


def test_no_address_is_taken_for_one_with_parameters() -> None:
    paths = list(dict.fromkeys(endpoint.path for endpoint in ENDPOINTS))
    for place, path in enumerate(paths):
        taken_for = [other for other in paths[:place] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", other), path)]
        assert taken_for == []
