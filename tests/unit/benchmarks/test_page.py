from datetime import UTC, datetime

from tests.benchmarks.page import HEAD, Run, section, with_sections
from tests.benchmarks.table import Table

RUN = Run("python -m tests.benchmarks one", datetime(2026, 11, 21, tzinfo=UTC), 4, 0.25)


def _section(title: str, figure: str) -> str:
    return section(Table(title, "What was compared.", ("what", "ratio"), [("ours", figure)]), RUN)


def test_a_section_takes_the_place_of_the_one_before_and_the_others_stay() -> None:
    page = with_sections("", [_section("Search", "1.1"), _section("Cells", "1.2"), _section("Import time", "4.4")])
    again = with_sections(page, [_section("Cells", "9.9")])
    assert again == page.replace("1.2", "9.9")


def test_titles_that_begin_alike_are_two_sections() -> None:
    page = with_sections("", [_section("Cells", "1.2")])
    both = with_sections(page, [_section("Cells under load", "3.4")])
    assert both.startswith(page)
    assert both.endswith(_section("Cells under load", "3.4"))


def test_a_section_says_what_its_figures_come_from() -> None:
    assert "`python -m tests.benchmarks one`, 2026-11-21, 4 cores" in _section("Cells", "1.2")
    assert "load before it 0.2" in _section("Cells", "1.2")


def test_the_page_begins_with_how_it_is_written() -> None:
    assert with_sections("# Old head\n\nwords\n\n", [_section("Cells", "1.2")]).startswith(HEAD + "## Cells\n")
