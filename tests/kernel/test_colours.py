"""Contrast of the stylesheet's own colours (WCAG 2.2: text 4,5; borders, bars and focus 3)."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

CSS = Path(finders.find("unionwork/app.css")).read_text(encoding="utf-8")
TOKENS = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", CSS))
TEXT = [
    ("ink", "#ffffff"), ("ink", "ground"), ("ink-soft", "#ffffff"), ("ink-soft", "ground"), ("ink-soft", "#e9ecf1"),
    ("brand", "#ffffff"), ("brand-dark", "#e4edf8"), ("ink", "#e4edf8"), ("good", "good-bg"), ("warn", "warn-bg"),
    ("bad", "#ffffff"), ("bad", "bad-bg"),
]  # fmt: skip
SHAPES = [
    ("edge", "#ffffff"), ("edge", "ground"), ("brand-dark", "#ffffff"), ("brand-dark", "ground"), ("brand", "#dfe3ea"),
    ("ink", "#dfe3ea"), ("bad", "#ffffff"), ("ink-soft", "#ffffff"), ("brand", "#e4edf8"),
]  # fmt: skip


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    bright, dark = sorted((luminance(TOKENS.get(one, one)), luminance(TOKENS.get(other, other))), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_the_formula():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read(text, ground):
    assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_borders_bars_and_focus_can_be_seen(shape, ground):
    assert contrast(shape, ground) >= 3


def test_every_colour_token_is_checked():
    used = {name for pair in TEXT + SHAPES for name in pair}
    decoration = {"line", "bs-body-color", "bs-border-color", "bs-secondary-color", "bs-table-color"}
    buttons = {name for name in TOKENS if name.startswith("bs-btn")}
    assert set(TOKENS) - used - decoration - buttons == set()


def test_the_stylesheet_stays_small():
    assert len(CSS.encode()) <= 12 * 1024
    assert re.findall(r"url\(|@import|https?:", CSS) == []
