"""What web pages, Markdown, CSV, JSON and e-mail say, and what of them nobody sees."""

import json

import pytest

from shared.adapters.parsing.formats.delimited import read_delimited
from shared.adapters.parsing.formats.html import read_html
from shared.adapters.parsing.formats.json_paths import read_json
from shared.adapters.parsing.formats.mail import read_mail
from shared.adapters.parsing.formats.markdown import read_markdown
from shared.adapters.parsing.limits import ParseLimits
from shared.documents.canonical import BlockKind, DocumentWarning

LIMITS = ParseLimits()


@pytest.mark.parametrize(
    "hidden",
    [
        "<div hidden>x-secret</div>",
        '<p style="display: none">x-secret</p>',
        '<p style="font-size:0">x-secret</p>',
        '<span style="color:#fff">x-secret</span>',
        '<span style="color:red;background:red">x-secret</span>',
        '<p style="position:absolute;left:-9999px">x-secret</p>',
        "<table><tr hidden><td>x-secret</td><td>2</td></tr><tr><td>a</td><td>b</td></tr></table>",
    ],
)
def test_hidden_parts_of_a_web_page_are_left_out(hidden: str) -> None:
    text = read_html(f"<body><p>Seen.</p>{hidden}</body>".encode(), LIMITS)

    assert "x-secret" not in text.text
    assert text.text.startswith("Seen.")


@pytest.mark.parametrize("inert", ["<script>x</script>", "<!-- x -->", "<template>x</template>", "<nav>x</nav>"])
def test_what_never_shows_is_left_out_without_a_word(inert: str) -> None:
    text = read_html(f"<body>Seen.{inert}</body>".encode(), LIMITS)

    assert (text.text, text.warnings) == ("Seen.", ())


def test_white_text_on_a_coloured_ground_is_visible() -> None:
    page = b'<body><div style="background:#036"><span style="color:white">Banner</span></div></body>'

    assert read_html(page, LIMITS).text == "Banner"


def test_a_web_page_keeps_its_structure() -> None:
    page = "<h1>Fees</h1><p>The <b>fee</b><br>is <a href='x'>ten</a>.</p><ul><li>one<li>two</ul><pre>a  b</pre>"

    text = read_html(page.encode(), LIMITS)

    assert [(block.kind, text.text[block.start : block.end]) for block in text.blocks] == [
        (BlockKind.HEADING, "Fees"),
        (BlockKind.PARAGRAPH, "The fee\nis ten."),
        (BlockKind.LIST_ITEM, "one"),
        (BlockKind.LIST_ITEM, "two"),
        (BlockKind.CODE, "a b"),
    ]


def test_the_declared_encoding_of_a_web_page_is_used() -> None:
    page = '<meta charset="windows-1251"><p>Привет</p>'.encode("cp1251")

    assert read_html(page, LIMITS).text == "Привет"


def test_markdown_reads_as_text() -> None:
    head = "---\ntitle: Terms\n---\n# Notice {#notice}\n\n"
    source = head + "The **notice** is [here](http://x).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"

    text = read_markdown(source.encode(), LIMITS)

    assert text.title == "Terms"
    assert text.text == "Notice\n\nThe notice is here.\n\na\tb\n1\t2"
    assert text.blocks[-1].header == "a | b"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_values_of_a_delimited_file_have_names(delimiter: str) -> None:
    source = "\n".join(delimiter.join(cells) for cells in [("Name", "City"), ("Ada", "Paris"), ("Bo", "Rome")])

    text = read_delimited(source.encode(), LIMITS)

    assert text.text == "Name: Ada\nCity: Paris\n\nName: Bo\nCity: Rome"
    assert [block.header for block in text.blocks] == ["Ada", "Bo"]


def test_formulas_in_a_delimited_file_stay_text() -> None:
    text = read_delimited(b"name,amount\n=1+1,2\n@SUM(A1),3\n", LIMITS)

    assert "name: =1+1" in text.text
    assert "name: @SUM(A1)" in text.text


def test_json_values_have_paths() -> None:
    source = {"title": "T", "a": {"b": 1.50, "c": [1, 2], "d e": None}, "people": [{"n": "Ada"}, {"n": "Bo"}]}

    text = read_json(json.dumps(source).encode(), LIMITS)

    assert "a.b: 1.5\na.c: 1, 2" in text.text
    assert "n: Ada" in text.text
    assert [block.header for block in text.blocks][-1].startswith("people[1]")


def test_a_message_without_plain_text_is_read_from_its_web_page() -> None:
    head = b"From: a@b.c\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    source = head + b"<p>Hi <b>you</b></p>"

    text = read_mail(source, LIMITS)

    assert text.title == "Grüße"
    assert text.text.endswith("Hi you")


def test_attachments_are_named_in_a_warning_and_left_closed() -> None:
    source = (
        b'Subject: s\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nBody.\r\n"
        b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=x.txt\r\n\r\n"
        b"attached\r\n--b--\r\n"
    )

    text = read_mail(source, LIMITS)

    assert "attached" not in text.text
    assert text.warnings == (DocumentWarning.ATTACHMENTS_IGNORED,)
