"""Write the sample PDF: `python -m localstack.samples.travel_policy` (the committed file is its output)."""

from pathlib import Path
from typing import Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import cm
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer

FILE: Final = Path(__file__).parent / "documents" / "travel-policy.pdf"

PAGES: Final = (
    """Travel policy

    This policy applies to everyone who travels on behalf of the Alderbrook Tool Library, paid or unpaid.

    A journey of more than one day needs the consent of the treasurer before anything is booked. A journey within one
    day needs no consent as long as it costs less than 80 euros.

    Trains come first. Flights are booked only when the journey by train would take more than eight hours, and always
    in the cheapest class.

    Whoever travels by private car is paid 30 cents per kilometre. Parking fees and tolls are paid in full; fines are
    not paid at all.
    """,
    """Hotels and meals

    Hotels are booked by the traveller. A hotel night may cost up to 110 euros, breakfast included. In capital cities a
    hotel night may cost up to 160 euros, breakfast included.

    Meals are covered by a daily allowance of 28 euros for a full day, and of 14 euros for the days of departure and
    return. No receipts are needed for meals.

    Whoever stays with friends or family instead of a hotel may bring a present worth up to 25 euros and hand in its
    receipt.
    """,
    """Settling the costs

    Costs are settled with the form on the shelf beside the till, or by e-mail to treasurer@alderbrook.example. Receipts
    must be handed in within six weeks after the journey; later ones are not paid.

    The treasurer pays within ten working days. An advance of up to 200 euros can be paid before a journey that costs
    more than 300 euros.

    Questions that this policy leaves open are decided by the treasurer, and journeys of the treasurer by the chair.
    """,
)


def write_pages(file: Path, pages: tuple[str, ...], title: str) -> None:
    """Write a PDF with a text layer: a page per text, its first paragraph as heading; the same bytes on every run."""
    styles = getSampleStyleSheet()
    story = []
    for number, page in enumerate(pages):
        if number:
            story.append(PageBreak())
        heading, *paragraphs = page.split("\n\n")
        story.append(Paragraph(heading, styles["Heading1"]))
        for text in paragraphs:
            story += [Paragraph(" ".join(text.split()), styles["BodyText"]), Spacer(1, 0.3 * cm)]
    SimpleDocTemplate(str(file), pagesize=A4, title=title, author="Tessera", invariant=1).build(story)


if __name__ == "__main__":
    write_pages(FILE, PAGES, "Travel policy")
