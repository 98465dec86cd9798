"""The bytes decide what a file is; its name chooses between text formats, or contradicts. Encodings are found."""

import pytest

from shared.adapters.parsing.detection import Format, detect
from shared.adapters.parsing.encodings import decode
from shared.adapters.parsing.reading import title_from_name
from shared.documents.canonical import DocumentWarning
from shared.documents.ports import RejectedDocumentError
from shared.documents.rejections import RejectionReason, reason_of
from tests.unit.parsing.office_files import archive, docx


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a", b"%PDF-1.7 ...", Format.PDF),
        ("a.DOCX", docx("x"), Format.DOCX),
        ("upload", docx("x"), Format.DOCX),
        ("a.xlsx", archive({"xl/workbook.xml": "x", "xl/embeddings/word/document.xml": "x"}), Format.XLSX),
        ("a.md", b"# Title", Format.MARKDOWN),
        ("a.tsv", b"a\tb", Format.CSV),
        ("notes", b"<!DOCTYPE html><p>x", Format.HTML),
        ("notes", b"From: a@b.c\r\nSubject: x\r\n\r\nbody", Format.EML),
        ("notes", b'{"a": 1}', Format.JSON),
        ("notes.rst", b"Some text", Format.TEXT),
        ("notes.txt", b"MZ is short for Mark Zbikowski.", Format.TEXT),
    ],
)
def test_a_file_is_what_its_bytes_say(name: str, content: bytes, expected: Format) -> None:
    assert detect(name, content) == expected


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.pdf", docx("x"), RejectionReason.WRONG_TYPE),
        ("a.txt", docx("x"), RejectionReason.WRONG_TYPE),
        ("a.xlsx", docx("x"), RejectionReason.WRONG_TYPE),
        ("a.docx", archive({"x.txt": "x"}), RejectionReason.UNSUPPORTED_TYPE),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, RejectionReason.UNSUPPORTED_TYPE),
        (
            "a.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            RejectionReason.ENCRYPTED,
        ),
        ("a.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF", RejectionReason.UNSUPPORTED_TYPE),
        ("a.txt", b"", RejectionReason.EMPTY),
    ],
)
def test_a_file_that_contradicts_its_name_is_rejected(name: str, content: bytes, expected: RejectionReason) -> None:
    with pytest.raises(RejectedDocumentError) as caught:
        detect(name, content)

    assert reason_of(caught.value) == expected


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Grüße aus München, 15 €", "cp1252"),
        ("名前,年齢\n佐藤,30", "cp932"),
        ("名前は佐藤です", "euc_jp"),
        ("Привет, это русский текст для проверки кодировки.", "cp1251"),
        ("这是一个测试文件，我们用它检查编码。", "gb18030"),
        ("hello wörld", "utf-16-le"),
        ("hello wörld", "utf-16"),
        ("hello", "utf-32"),
        ("grüße", "utf-8-sig"),
    ],
)
def test_encodings_are_found(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


def test_stray_bytes_are_replaced_and_reported() -> None:
    decoded = decode(b"caf\xe9 \xff\xfe \xc0\xaf \xed\xa0\x80 end")

    assert decoded.text.endswith("end")
    assert DocumentWarning.BYTES_REPLACED in decoded.warnings


@pytest.mark.parametrize("content", [bytes(range(256)) * 4, b"\x00\x01\x02text", b"\x07\x08\x01" * 100])
def test_binary_content_is_no_text(content: bytes) -> None:
    with pytest.raises(RejectedDocumentError) as caught:
        decode(content)

    assert reason_of(caught.value) == RejectionReason.NOT_TEXT


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("t/acme/trustee-handbook_2012.docx", "trustee handbook 2012"),
        ("AnnualReport.pdf", "Annual Report"),
        ("名前.csv", "名前"),
        ("12345.txt", None),
        ("a.b", None),
    ],
)
def test_a_name_gives_a_title_where_it_has_words(name: str, expected: str | None) -> None:
    assert title_from_name(name) == expected
