"""Write workbooks of Excel and OpenDocument, as far as a reader needs them."""

import io
import zipfile
from xml.sax.saxutils import escape, quoteattr

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"


def xlsx(sheets, *, hidden=(), merged=()):
    """Return a workbook: the rows of each sheet by its name; a cell may be None.

    Args:
        sheets: the rows of each sheet.
        hidden: the names of sheets that are hidden.
        merged: the ranges of merged cells in each sheet, such as ``A1:A3``.
    """
    numbered = list(enumerate(sheets.items(), 1))
    names = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{i}" r:id="r{i}"'
        f"{' state=' + quoteattr('hidden') if name in hidden else ''}/>"
        for i, (name, _) in numbered
    )
    links = "".join(
        f'<Relationship Id="r{i}" Type="{_OFFICE}/worksheet" Target="worksheets/{i}.xml"/>'
        for i, _ in numbered
    )
    return _packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
            "_rels/.rels": _relations(
                f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
            ),
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
            f"<sheets>{names}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": _relations(links),
            **{f"xl/worksheets/{i}.xml": _xlsx_sheet(rows, merged) for i, (_, rows) in numbered},
        }
    )


def _relations(links):
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'


def _xlsx_sheet(rows, merged):
    body = "".join(
        f'<row r="{r}">'
        + "".join(_xlsx_cell(f"{chr(65 + c)}{r}", value) for c, value in enumerate(row))
        + "</row>"
        for r, row in enumerate(rows, 1)
    )
    ranges = "".join(f'<mergeCell ref="{cells}"/>' for cells in merged)
    more = f"<mergeCells>{ranges}</mergeCells>" if merged else ""
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData>{more}</worksheet>'


def _xlsx_cell(at, value):
    if value is None:
        return ""
    if isinstance(value, int | float):
        kind = ' t="b"' if isinstance(value, bool) else ""
        return f'<c r="{at}"{kind}><v>{int(value) if kind else value}</v></c>'
    return f'<c r="{at}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def ods(sheets):
    """Return a document with the rows of each sheet by its name."""
    tables = "".join(
        f"<table:table table:name={quoteattr(name)}>{''.join(map(_ods_row, rows))}</table:table>"
        for name, rows in sheets.items()
    )
    spaces = "".join(f' xmlns:{n}="{_ODF}:{n}:1.0"' for n in ("office", "table", "text"))
    return _packed(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0"/>',
            "content.xml": f"<office:document-content{spaces}><office:body><office:spreadsheet>"
            f"{tables}</office:spreadsheet></office:body></office:document-content>",
        }
    )


def _ods_row(row):
    cells = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{escape(str(v))}</text:p>'
        "</table:table-cell>"
        for v in row
    )
    return f"<table:table-row>{cells}</table:table-row>"


def _packed(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()
