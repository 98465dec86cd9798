"""Which passages are quoted, and as how many quotations."""

import numpy as np

from shared.answers.passages import passages_of
from shared.answers.selection import joined, select
from tests.unit.answers.parts import hit, plain

TEXT = "First is one. Second is two. Third is three. Fourth is four."
PASSAGES = passages_of(hit(1, TEXT), 0, plain(TEXT))


def test_the_best_come_first_and_no_more_than_wanted():
    chosen = select(PASSAGES, np.array([1.0, 3.0, 2.0, 0.0]), 3)

    assert [passage.text for passage in chosen] == ["Second is two.", "Third is three.", "First is one."]


def test_what_hardly_answers_is_left_out():
    assert len(select(PASSAGES, np.array([9.0, 0.0, 0.0, 0.0]), 3)) == 1


def test_copies_are_quoted_once():
    copies = [*PASSAGES[:1], *passages_of(hit(2, "First is  one."), 1, plain("First is  one."))]

    assert select(copies, np.array([1.0, 1.0]), 3) == [PASSAGES[0]]


def test_neighbours_become_one_quotation_in_text_order():
    quotations = joined([PASSAGES[3], PASSAGES[1], PASSAGES[0]])

    assert [(TEXT[found.start : found.end], len(found.passages)) for found in quotations] == [
        ("Fourth is four.", 1),
        ("First is one. Second is two.", 2),
    ]


def test_passages_of_two_documents_stay_apart():
    other = passages_of(hit(2, TEXT), 1, plain(TEXT))

    assert len(joined([PASSAGES[0], other[1]])) == 2
