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


def test_it_is_served(people: People) -> None:
    answer = people.http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == describe()


def test_no_address_is_taken_for_one_with_parameters() -> None:
    paths = list(dict.fromkeys(endpoint.path for endpoint in ENDPOINTS))
    for place, path in enumerate(paths):
        taken_for = [other for other in paths[:place] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", other), path)]
        assert taken_for == []
