"""Telephone numbers as people type them: 0912 345 678, 0912.345.678, +84 912 345 678 are one number."""

import re

PUNCTUATION = re.compile(r"[\s.\-()]+")


def phone_digits(text):
    """ "0912345678" of any of the ways to write it; "" when the text is not a telephone number."""
    digits = PUNCTUATION.sub("", text)
    digits = re.sub(r"^(\+|00)84", "0", digits)
    return digits if digits.isascii() and digits.isdigit() and 9 <= len(digits) <= 11 else ""
