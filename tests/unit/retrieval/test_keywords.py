from shared.retrieval.keywords import MOST_QUERY_TERMS, indexed_terms, inverse_document_frequency, query_terms


def test_terms_hold_no_white_space() -> None:
    assert indexed_terms("Title", "a \ufc5e ligature that folds to a space") != []
    assert all(len(term.split()) == 1 for term in indexed_terms("Title", "\ufc5e \ufc5f x \ufe70"))


def test_a_query_counts_its_words() -> None:
    assert query_terms("Notice of notices: period") == {"notice": 2, "period": 1}


def test_the_first_terms_of_an_endless_query_count() -> None:
    terms = query_terms(" ".join(f"w{number}" for number in range(1000)))

    assert list(terms)[:2] == ["w0", "w1"]
    assert len(terms) == MOST_QUERY_TERMS


def test_a_term_that_all_chunks_hold_still_weighs_something() -> None:
    weights = [inverse_document_frequency(10, containing) for containing in range(11)]

    assert weights == sorted(weights, reverse=True)
    assert weights[-1] > 0
