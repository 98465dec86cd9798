"""The smallest Office files that hold what a test is about."""

import io
import zipfile

_OFFICE = "http://schemas.openxmlformats.org"
_RELATIONSHIP = f"{_OFFICE}/officeDocument/2006/relationships"
_W = f"{_OFFICE}/wordprocessingml/2006/main"
_S = f"{_OFFICE}/spreadsheetml/2006/main"


def archive(members: dict[str, str]) -> bytes:
    """Return a zip of `members`, with the part that makes it an Office file."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as box:
        for name, content in {"[Content_Types].xml": "<Types/>", **members}.items():
            box.writestr(name, content)
    return output.getvalue()


def docx(body: str, styles: str = "") -> bytes:
    members = {"word/document.xml": f'<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>'}
    if styles:
        members["word/styles.xml"] = f'<w:styles xmlns:w="{_W}">{styles}</w:styles>'
        members["word/_rels/document.xml.rels"] = relationships(("rId1", "styles", "styles.xml"))
    return archive(members)


def xlsx(*sheets: tuple[str, str], styles: str = "") -> bytes:
    listed = "".join(f'<sheet name="{name}" r:id="s{at}"/>' for at, (name, _) in enumerate(sheets))
    related = [(f"s{at}", "worksheet", f"worksheets/s{at}.xml") for at in range(len(sheets))]
    members = {
        "xl/workbook.xml": f'<workbook xmlns="{_S}" xmlns:r="{_RELATIONSHIP}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relationships(*related, ("st", "styles", "styles.xml")),
        "xl/styles.xml": f'<styleSheet xmlns="{_S}">{styles}</styleSheet>',
    }
    for at, (_, rows) in enumerate(sheets):
        members[f"xl/worksheets/s{at}.xml"] = f'<worksheet xmlns="{_S}"><sheetData>{rows}</sheetData></worksheet>'
    return archive(members)


def relationships(*items: tuple[str, str, str]) -> str:
    rows = "".join(f'<Relationship Id="{i}" Type="{_RELATIONSHIP}/{kind}" Target="{to}"/>' for i, kind, to in items)
    return f'<Relationships xmlns="{_OFFICE}/package/2006/relationships">{rows}</Relationships>'


def paragraph(text: str, properties: str = "", run: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr>{run}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


def row(*cells: str) -> str:
    """Return a sheet row; a cell is its XML."""
    return f"<row>{''.join(cells)}</row>"


def text_cell(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'
