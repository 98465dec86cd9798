"""What a person sees of documents and answers."""

import io

import pytest
from rich.console import Console

from localstack import display
from localstack.display import DocumentsDisplay, Quotation, documents_table, show_answer

READY = {
    "name": "a.md",
    "status": "ready",
    "stage": "done",
    "counts": {"pages": 2, "chunks": 3},
    "timings_ms": {"parsing": 1200},
}
PARSING = {"name": "b.pdf", "status": "processing", "stage": "parsing"}
REJECTED = {"name": "c.pdf", "status": "rejected", "stage": "parsing", "reason": "encrypted"}


@pytest.fixture
def shown(monkeypatch):
    output = io.StringIO()
    monkeypatch.setattr(display, "CONSOLE", Console(file=output, width=160, highlight=False))
    return output


def test_table_shows_how_far_each_document_is(shown):
    display.CONSOLE.print(documents_table([READY, PARSING, REJECTED], 1.5))

    told = shown.getvalue().splitlines()
    assert "ready" in told[1]
    assert "1.2" in told[1]
    assert "● ● parsing ○ ○" in told[2]
    assert "encrypted" in told[3]


def test_without_a_terminal_each_change_is_one_line(shown):
    with DocumentsDisplay() as documents:
        documents.show([PARSING], 0.1)
        documents.show([PARSING], 0.2)
        documents.show([{**PARSING, "stage": "indexing"}], 0.3)

    assert [line.split("s  ")[1] for line in shown.getvalue().splitlines()] == [
        "b.pdf: processing (parsing)",
        "b.pdf: processing (indexing)",
    ]


def test_quotation_stands_out_in_its_context(shown):
    quotation = Quotation("It costs\n5 euros.", "rd before. ", " After it co", "terms.txt", 1, 2, 8, 25)

    show_answer("answered", [quotation], "12 ms")

    told = shown.getvalue()
    assert "  … before. ▌It costs 5 euros.▐ After it …" in told
    assert "terms.txt · page 2 · version 1 · characters 8–25" in told


def test_square_brackets_of_a_document_are_shown_as_they_are(shown):
    show_answer("answered", [Quotation("[red]x[/red]", "", "", "[a].txt", 1, None, 0, 12)], "")

    assert "[red]x[/red]" in shown.getvalue()
    assert "[a].txt" in shown.getvalue()


def test_no_evidence_is_said(shown):
    show_answer("no_evidence", [], "")

    assert "no evidence" in shown.getvalue()
