"""Links of the exported document lead where an answer's ids fit, and nowhere else."""

import json
from typing import Any

import pytest

from shared.composition.write_docs import generated_pages
from shared.operations.links import add_links

SHELF, BOOK = "^shelf_[0-9a-z]{26}$", "^book_[0-9a-z]{26}$"


def described(name: str, path: dict[str, str], answer: dict[str, Any] | None = None, *query: str) -> dict[str, Any]:
    content = {} if answer is None else {"content": {"application/json": {"schema": answer}}}
    parameters = [{"in": "path", "name": part, "schema": {"pattern": kind}} for part, kind in path.items()]
    parameters += [{"in": "query", "name": part, "schema": {}} for part in query]
    return {"operationId": name, "parameters": parameters, "responses": {"200": content, "404": {}}}


def a(kind: str) -> dict[str, str]:
    return {"type": "string", "pattern": kind}


@pytest.fixture
def linked() -> dict[str, Any]:
    book = {"type": "object", "properties": {"id": a(BOOK), "author": {"type": "string"}, "sequel_of": a(BOOK)}}
    shelf = {"type": "object", "properties": {"id": a(SHELF)}}
    page = {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Book"}},
            "next_page_token": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
    }
    document: dict[str, Any] = {
        "components": {"schemas": {"Book": book}},
        "paths": {
            "/shelves": {"post": described("create_shelf", {}, shelf)},
            "/shelves/{shelf_id}": {"delete": described("delete_shelf", {"shelf_id": SHELF})},
            "/shelves/{shelf_id}/books": {
                "post": described("put_book", {"shelf_id": SHELF}, {"$ref": "#/components/schemas/Book"}),
                "get": described("list_books", {"shelf_id": SHELF}, page, "page_token"),
            },
            "/shelves/{shelf_id}/books/{book_id}": {"get": described("get_book", {"shelf_id": SHELF, "book_id": BOOK})},
            "/readers/{name}": {"get": described("get_reader", {"name": ""})},
        },
    }
    add_links(document)
    return {
        operation["operationId"]: operation["responses"]["200"].get("links", {})
        for item in document["paths"].values()
        for operation in item.values()
    }


def test_what_was_created_leads_to_all_that_takes_its_id(linked):
    assert linked["create_shelf"].keys() == {"delete_shelf", "put_book", "list_books"}
    assert linked["create_shelf"]["put_book"] == {
        "operationId": "put_book",
        "parameters": {"shelf_id": "$response.body#/id"},
    }


def test_what_the_path_names_is_taken_from_there_and_an_id_before_a_reference(linked):
    assert linked["put_book"] == {
        "get_book": {
            "operationId": "get_book",
            "parameters": {"shelf_id": "$request.path.shelf_id", "book_id": "$response.body#/id"},
        }
    }


def test_a_list_leads_to_its_first_item_and_to_its_next_page(linked):
    assert linked["list_books"]["get_book"]["parameters"]["book_id"] == "$response.body#/items/0/id"
    assert linked["list_books"]["next_page"] == {
        "operationId": "list_books",
        "parameters": {"shelf_id": "$request.path.shelf_id", "page_token": "$response.body#/next_page_token"},
    }


def test_a_string_of_no_kind_leads_nowhere(linked):
    assert not any("get_reader" in links for links in linked.values())


def test_every_operation_on_something_can_be_reached_from_what_makes_it():
    document = json.loads(generated_pages()["openapi.json"])
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    reached = {
        link["operationId"]
        for operation in operations
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    }
    on_something = {
        operation["operationId"]
        for operation in operations
        if any(parameter["in"] == "path" for parameter in operation.get("parameters", ()))
    }

    assert on_something - reached == set()
