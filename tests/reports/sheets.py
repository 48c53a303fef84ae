"""Reading a workbook back, and calculating its formulas without the program that wrote them."""

import io
import re
from fractions import Fraction
from math import floor

import openpyxl
from openpyxl.utils import range_boundaries

TOKENS = re.compile(r"[A-Z]+[0-9]+:[A-Z]+[0-9]+|[A-Z]+[0-9]+|[A-Z]+|[0-9]+\.?[0-9]*|[-+*/(),<]")


def reopened(content):
    """(the workbook with formulas, the same with their cached values)."""
    return tuple(openpyxl.load_workbook(io.BytesIO(content), data_only=data_only) for data_only in (False, True))


def formulas(sheet):
    return [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def calculated(sheet, text):
    """The value of a formula, exactly; blank cells are 0. Knows SUM, ROUND, MIN, IF and < only."""
    code = []
    for token in TOKENS.findall(text.removeprefix("=")):
        if ":" in token:
            first, top, last, bottom = range_boundaries(token)
            cells = (f"at({row},{column})" for row in range(top, bottom + 1) for column in range(first, last + 1))
            code.append(",".join(cells))
        elif re.fullmatch(r"[A-Z]+[0-9]+", token):
            column, row, *_ = range_boundaries(token)
            code.append(f"at({row},{column})")
        elif token[0].isdigit():
            code.append(f"Fraction('{token}')")
        else:
            code.append(token)

    def at(row, column):
        value = sheet.cell(row, column).value
        if isinstance(value, str):
            assert value.startswith("="), f"text {value!r} in a sum"
            return calculated(sheet, value)
        return Fraction(str(value or 0))

    names = {
        "at": at,
        "Fraction": Fraction,
        "SUM": lambda *values: sum(values),
        "MIN": min,
        "IF": lambda condition, then, otherwise: then if condition else otherwise,
        "ROUND": lambda value, digits: Fraction(floor(value * 10**digits + Fraction(1, 2)), 10 ** int(digits)),
    }
    return eval("".join(code), {"__builtins__": {}}, names)


def header_row(sheet, first):
    """Number of the row whose first cell says `first`."""
    return next(row for row in range(1, 20) if sheet.cell(row, 1).value == first)


def table(sheet, first):
    """Rows below the header as dicts, until the first wholly empty one."""
    top = header_row(sheet, first)
    headers = [cell.value for cell in sheet[top]]
    rows = []
    for values in sheet.iter_rows(min_row=top + 1, values_only=True):
        if not any(value is not None for value in values):
            break
        rows.append(dict(zip(headers, values, strict=True)))
    return rows
