"""The page checks themselves: a sound page passes, and each planted fault is found, alone."""

import pytest

from tests.browser.checks import check_page, complaints, listen
from tests.browser.conftest import LAPTOP, PHONE, new_context

ADDRESS = "http://page.test/"
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'"
STYLE = """
body { font: 16px sans-serif; color: #000; background: #fff; margin: 0 }
button, input { min-height: 44px; min-width: 44px; font-size: 16px }
.wide { width: 500px } .wider { width: 1500px } .pale { color: #bbb } .tiny { min-height: 0; min-width: 0; padding: 0 }
.tiny { height: 12px; width: 12px; font-size: 4px; display: block } .box { overflow-x: auto }
.middling { min-height: 30px; height: 30px; width: 60px }
"""
PAGE = """<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>Hoạt động – unionwork</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/style.css">
</head><body><main><h1>Hoạt động</h1><form><label for="a">Tên hoạt động</label> <input id="a"></form>%s</main></body>"""
SCROLLING = '<div class="box" data-scroll tabindex="0" role="region" aria-label="Bảng"><p class="wide">Số</p></div>'


@pytest.fixture(scope="module")
def screens(browser):
    """A page a screen for the whole file: a new one costs a process."""
    pages = {
        width: listen(new_context(browser, **screen).new_page()) for width, screen in ((360, PHONE), (1280, LAPTOP))
    }
    yield pages
    for page in pages.values():
        page.context.close()


@pytest.fixture
def show(screens):
    """Show the sound page with a fragment put in; nothing is served over the network."""

    def show_page(fragment="", *, page=PAGE, screen=PHONE):
        shown = screens[screen["viewport"]["width"]]
        style = {"content_type": "text/css", "body": STYLE}
        html = {"content_type": "text/html", "headers": {"Content-Security-Policy": POLICY}, "body": page % fragment}
        shown.unroute_all()
        shown.route("**/*", lambda route: route.fulfill(status=404, body=""))
        shown.route(f"{ADDRESS}style.css", lambda route: route.fulfill(**style))
        shown.route(ADDRESS, lambda route: route.fulfill(**html))
        shown.heard.clear()
        shown.goto(ADDRESS)
        return shown

    return show_page


def names(page):
    return sorted({complaint.partition(":")[0] for complaint in complaints(page)})


@pytest.mark.parametrize("screen", [PHONE, LAPTOP], ids=["360", "1280"])
def test_a_sound_page_passes(show, screen):
    check_page(
        show('<div class="box" data-scroll tabindex="0" role="region" aria-label="Bảng"><p>Số</p></div>', screen=screen)
    )


def test_a_wide_table_may_scroll_in_its_own_region(show):
    check_page(show(SCROLLING))


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ('<p class="pale">Chữ mờ</p>', ["color-contrast"]),
        ('<input name="b">', ["label"]),
        ('<p class="wide">Khối rộng 500 px</p>', ["overflow"]),
        (SCROLLING.replace("data-scroll ", ""), ["scrolls"]),
        ('<button class="tiny">ô</button><button class="tiny">ơ</button>', ["small", "target-size"]),
        ('<button class="middling">Ghi</button>', ["small"]),
        ('<p style="color: red">Chữ</p>', ["csp"]),
        ("<script>document.title = 'Khác'</script>", ["csp"]),
        ('<img src="/missing.png" alt="Ảnh">', ["csp"]),
        ('<script src="/missing.js"></script>', ["response"]),
        ('<button aria-label="Next">Sau</button>', ["english"]),
        ("<p>This field is required.</p>", ["english"]),
        ("<p>Đoa\u0300n viên</p>", ["nfc"]),
        ("<h1>Tiêu đề thứ hai</h1>", ["h1"]),
        ("<h4>Nhảy bậc</h4>", ["heading-order"]),
    ],
)
def test_a_planted_fault_is_found(show, fragment, expected):
    assert names(show(fragment)) == expected


def test_a_block_wider_than_the_laptop_is_found(show):
    assert names(show('<p class="wider">Khối rộng</p>', screen=LAPTOP)) == ["overflow"]


def test_a_heading_that_is_not_the_title_is_found(show):
    assert names(show(page=PAGE.replace("<title>Hoạt động", "<title>Chỉ tiêu"))) == ["h1"]
    check_page(show(page=PAGE.replace("<title>Hoạt động", "<title>Lỗi: Hoạt động")))


def test_a_page_in_another_language_or_laid_out_for_a_laptop_is_found(show):
    assert names(show(page=PAGE.replace('lang="vi"', 'lang="en"'))) == ["lang"]
    assert "viewport" in names(show(page=PAGE.replace('name="viewport"', 'name="other"')))


def test_check_page_fails_with_every_complaint(show):
    page = show('<p class="pale">Chữ mờ</p><p class="wide">Khối rộng</p>')
    with pytest.raises(AssertionError, match=r"(?s)overflow: 500.*color-contrast: "):
        check_page(page)
