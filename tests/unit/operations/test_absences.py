"""The document says absent where answers leave out, and null where bodies may say null."""

from typing import Any

from shared.operations.absences import say_absent_for_null

NULLABLE = {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Note"}


def content(name: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def test_nullable_fields_of_answers_are_absent_and_those_of_bodies_stay_nullable():
    page = {"properties": {"items": {"items": {"$ref": "#/components/schemas/Book"}}}, "required": ["items"]}
    either = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}], "default": None}
    book = {"properties": {"id": {"type": "string"}, "note": NULLABLE, "either": either}, "required": ["id", "note"]}
    bare = {"properties": {"note": NULLABLE}, "required": ["note"]}
    new_book = {"properties": {"note": NULLABLE}, "required": ["note"]}
    document: dict[str, Any] = {
        "components": {"schemas": {"Page": page, "Book": book, "Bare": bare, "NewBook": new_book}},
        "paths": {
            "/books": {
                "get": {"responses": {"200": content("Page"), "404": content("Bare")}},
                "post": {"requestBody": content("NewBook"), "responses": {"201": {}}},
            }
        },
    }

    say_absent_for_null(document)

    models = document["components"]["schemas"]
    assert models["Book"] == {
        "properties": {
            "id": {"type": "string"},
            "note": {"type": "string", "title": "Note"},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        },
        "required": ["id"],
    }
    assert models["Bare"] == {"properties": {"note": {"type": "string", "title": "Note"}}}
    assert models["NewBook"] == {"properties": {"note": NULLABLE}, "required": ["note"]}
