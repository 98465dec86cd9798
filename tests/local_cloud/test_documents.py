"""What a user sees of documents: in, searchable, quoted, replaced, gone."""

import pytest

pytestmark = pytest.mark.real_server

NOTICE_30 = "The notice period is 30 days."
NOTICE_60 = "The notice period is 60 days."
QUESTION = "How long is the notice period?"


def quotes(answer):
    return [citation["quote"] for citation in answer["citations"]]


def test_dropped_document_is_quoted_in_an_answer(tenant):
    kb_id = tenant.create_knowledge_base()

    tenant.drop(kb_id, "terms.md", f"# Terms\n\n{NOTICE_30} Fees are returned within two weeks.\n")
    document = tenant.wait(kb_id, "terms.md")
    answer = tenant.ask(kb_id, QUESTION)

    assert document["status"] == "ready"
    assert answer["outcome"] == "answered"
    assert NOTICE_30 in answer["text"]
    assert {citation["document_id"] for citation in answer["citations"]} == {document["id"]}


def test_every_citation_is_the_text_that_stands_there(tenant):
    kb_id = tenant.create_knowledge_base()
    tenant.drop(kb_id, "terms.md", f"# Terms – 😀 and ü\n\n{NOTICE_30} Fees are returned within two weeks.\n")
    tenant.wait(kb_id, "terms.md")

    citations = tenant.ask(kb_id, QUESTION)["citations"]

    assert citations
    for citation in citations:
        there = tenant.api.call(
            "GET",
            f"/knowledge-bases/{kb_id}/documents/{citation['document_id']}/text",
            query={"start": str(citation["start"]), "end": str(citation["end"])},
        )
        assert there["quote"] == citation["quote"]


def test_uploaded_document_is_found(tenant):
    kb_id = tenant.create_knowledge_base()

    document_id = tenant.upload(kb_id, "terms.md", NOTICE_30.encode(), metadata={})
    document = tenant.wait(kb_id, "terms.md")

    assert (document["id"], document["status"]) == (document_id, "ready")
    assert quotes(tenant.ask(kb_id, QUESTION)) == [NOTICE_30]


def test_replaced_document_is_never_quoted_again(tenant):
    kb_id = tenant.create_knowledge_base()
    tenant.drop(kb_id, "terms.md", NOTICE_30)
    tenant.wait(kb_id, "terms.md")

    tenant.drop(kb_id, "terms.md", NOTICE_60)
    tenant.wait_for_generation(kb_id, "terms.md", 2)

    assert quotes(tenant.ask(kb_id, QUESTION)) == [NOTICE_60]


def test_rejected_replacement_leaves_the_old_text_in_service(tenant):
    kb_id = tenant.create_knowledge_base()
    tenant.drop(kb_id, "terms.md", NOTICE_30)
    tenant.wait(kb_id, "terms.md")

    tenant.drop(kb_id, "terms.md", b"")
    document = tenant.wait(kb_id, "terms.md", lambda document: document["status"] == "rejected")

    assert document["live"]["generation"] == 1
    assert quotes(tenant.ask(kb_id, QUESTION)) == [NOTICE_30]


def test_deleted_document_is_gone_with_the_answer_of_the_delete(tenant):
    kb_id = tenant.create_knowledge_base()
    tenant.drop(kb_id, "terms.md", NOTICE_30)
    document = tenant.wait(kb_id, "terms.md")

    tenant.api.call("DELETE", f"/knowledge-bases/{kb_id}/documents/{document['id']}")

    assert tenant.search(kb_id, QUESTION)["hits"] == []
    assert quotes(tenant.ask(kb_id, QUESTION)) == []
    assert tenant.documents(kb_id) == {}
    text = tenant.api.send("GET", f"/knowledge-bases/{kb_id}/documents/{document['id']}/text")
    assert text.status_code == 404


def test_same_content_under_another_name_is_skipped_and_names_the_first(tenant):
    kb_id = tenant.create_knowledge_base()
    tenant.drop(kb_id, "a.md", NOTICE_30)
    first = tenant.wait(kb_id, "a.md")

    tenant.drop(kb_id, "b.md", NOTICE_30)
    second = tenant.wait(kb_id, "b.md")

    assert (second["status"], second["duplicate_of"]) == ("skipped_duplicate", first["id"])


def test_moved_file_is_not_lost(tenant):
    kb_id = tenant.create_knowledge_base()
    tenant.drop(kb_id, "a.md", NOTICE_30)
    first = tenant.wait(kb_id, "a.md")
    tenant.drop(kb_id, "b.md", NOTICE_30)
    tenant.wait(kb_id, "b.md")

    tenant.api.call("DELETE", f"/knowledge-bases/{kb_id}/documents/{first['id']}")
    moved = tenant.wait(kb_id, "b.md", lambda document: document["status"] == "ready")

    assert {citation["document_id"] for citation in tenant.ask(kb_id, QUESTION)["citations"]} == {moved["id"]}


def test_question_beyond_the_documents_is_answered_with_no_evidence(tenant):
    kb_id = tenant.create_knowledge_base()
    tenant.drop(kb_id, "terms.md", f"{NOTICE_30} Petrol tools are handed out with a full tank.")
    tenant.wait(kb_id, "terms.md")

    answer = tenant.ask(kb_id, "Who won the football world cup in 1998?")

    assert (answer["outcome"], quotes(answer)) == ("no_evidence", [])


def test_file_of_an_unknown_type_is_rejected_with_a_reason(tenant):
    kb_id = tenant.create_knowledge_base()

    tenant.drop(kb_id, "program.exe", b"MZ\x90\x00" + bytes(2000))
    document = tenant.wait(kb_id, "program.exe")

    assert document["status"] == "rejected"
    assert document["reason"]
