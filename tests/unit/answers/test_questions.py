"""What questions ask for."""

import pytest

from shared.answers.questions import Wanted, read_question


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How many points did the Panthers surrender?", Wanted.QUANTITY),
        ("What percentage of farmland is watered?", Wanted.QUANTITY),
        ("In which year was the bridge set up?", Wanted.TIME),
        ("when did it end", Wanted.TIME),
        ("Who wrote the pledge?", Wanted.PERSON),
        ("What city hosted the game?", Wanted.PLACE),
        ("Why do diving ducks find it harder to take off?", Wanted.REASON),
        ("Wann wurde das Haus gebaut?", Wanted.TIME),
        ("What does the framework let developers build?", Wanted.OTHER),
        ("世界人権宣言の第一条は日本語でどのように始まりますか。", Wanted.OTHER),
    ],
)
def test_the_kind_of_answer_is_recognised(question, wanted):
    assert read_question(question).wanted is wanted


@pytest.mark.parametrize(
    ("question", "answering", "evading"),
    [
        ("How many keys are there?", "There are 255 keys.", "There are keys."),
        ("How many keys are there?", "There are three keys.", "There are many keys."),
        ("When was NIST 800 published?", "It came out in February 2019.", "It came out."),
        ("Who wrote about Tesla?", "The book is by Ada Lovelace.", "The book is about Tesla."),
        ("Why is it late?", "It is late because of rain.", "It is late."),
    ],
)
def test_a_passage_may_hold_the_kind_of_thing_asked_for(question, answering, evading):
    asked = read_question(question)

    assert (asked.is_answered_in_kind(answering), asked.is_answered_in_kind(evading)) == (1, 0)


def test_words_that_only_shape_the_question_do_not_count():
    assert read_question("What does the notice period do, and how?").terms == ("notice", "period")


def test_a_question_of_such_words_alone_keeps_them():
    assert read_question("What is what?").terms == ("what",)


def test_numbers_of_the_question_are_looked_for():
    asked = read_question("What does test case 2.07.01 check after 2049?")

    assert asked.number_coverage("Test 2.07.01 checks dates.") == 0.5
    assert read_question("Who was it?").number_coverage("anything") == 1
