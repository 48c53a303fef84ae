"""The reader of workbooks without a process of its own, for tests that have other things to prove.

Starting Python and importing openpyxl takes a third of a second a workbook. tests/kernel/test_workbooks.py and the
browser tests read as the product does.
"""

import os
import sys
import warnings
from contextlib import contextmanager

from unionwork import workbook_reader


def read_here(source, answer, max_rows, max_columns, *anywhere):
    """In place of `unionwork.workbooks._run_reader`; its limits of time and memory would be those of the tests."""
    with _standing_for(0, source), _standing_for(1, answer), warnings.catch_warnings(action="ignore"):
        workbook_reader.main(max_rows, max_columns, bool(anywhere))
    return 0


def lift_limits(patch):
    patch.setattr(workbook_reader, "limit_resources", lambda: None)
    patch.setattr(workbook_reader, "allow", lambda seconds: None)


@contextmanager
def _standing_for(number, file):
    """`file` as the standard input or output that the reader finds."""
    sys.stdout.flush()
    before = os.dup(number)
    os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        os.dup2(before, number)
        os.close(before)
