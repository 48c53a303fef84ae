"""What every page must hold, whoever looks at it: `check_page(page)`. Each complaint is "name: where and what"."""

import re
import unicodedata

from axe_playwright_python.base import AXE_FILE_PATH

AXE = AXE_FILE_PATH.read_text(encoding="utf-8")
AXE_OPTIONS = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "rules": {"target-size": {"enabled": True}},  # off by default in axe
    "resultTypes": ["violations"],
}
# Words that packages bring along when nobody translated them. Not among them: words that Vietnamese has too.
ENGLISH = re.compile(
    r"\b(this field|required|invalid|valid|please|submit|search|next|previous|save|delete|cancel|close|clear|reset|"
    r"login|log in|logout|log out|sign in|password|username|yes|unknown|none|true|false|null|nan|undefined|loading|"
    r"error|warning|choose|select|currently|change|ordering|results?|filters?|showing|page not found|not found|"
    r"forbidden|no file|enter a|ensure|the|of|and|with|january|february|march|april|june|july|august|september|october|"
    r"november|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b",
    re.IGNORECASE,
)
SMALLEST = 44  # CSS pixels of a control on a phone, its label included


def check_page(page, *, contrast=True, axe=True):
    """Fail with every complaint about the page once it is loaded: a click only waits until the next page begins.
    `contrast=False` where the colours were seen already, which take axe most of its time; `axe=False` where the same
    page was read by it on another screen or for another role."""
    page.wait_for_load_state()
    found = complaints(page, contrast=contrast, axe=axe)
    assert not found, f"{page.url}\n  " + "\n  ".join(found)


def complaints(page, *, contrast=True, axe=True):
    return [
        *page.heard,
        *_heading(page),
        *_language(page),
        *_sideways(page),
        *(_small_controls(page) if page.viewport_size["width"] < 500 else []),
        *(_axe(page, contrast) if axe else []),
    ]


def listen(page):
    """Collect from now on what the browser complains of in `page.heard`. Returns the page."""
    page.heard = []
    page.on("console", lambda message: _hear_console(page, message))
    page.on("pageerror", lambda error: page.heard.append(f"javascript: {error}"))
    page.on("requestfailed", lambda request: _hear_request(page, request))
    page.on("response", lambda response: _hear_response(page, response))
    return page


def _hear_console(page, message):
    # A 404 page or a form refused with 422 is reported here too; `_hear_response` tells them from missing files.
    if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
        name = "csp" if "Content Security Policy" in message.text else "console"
        page.heard.append(f"{name}: {message.text}")


def _hear_request(page, request):
    # Aborted: left for another page, or a download. Refused by the policy: the console says so.
    if request.failure not in ("net::ERR_ABORTED", "csp"):
        page.heard.append(f"request: {request.url} {request.failure}")


def _hear_response(page, response):
    is_file = response.request.resource_type not in ("document", "xhr", "fetch")
    if response.status >= (400 if is_file else 500):
        page.heard.append(f"response: {response.status} {response.url}")


def _heading(page):
    """One h1, and the title begins with it ("Lỗi: " before it on a refused form)."""
    title, headings = page.title(), page.locator("h1").all_inner_texts()
    if len(headings) != 1:
        yield f"h1: {len(headings)} of them"
    elif not title.removeprefix("Lỗi: ").startswith(headings[0].strip()):
        yield f"h1: {headings[0]!r} under the title {title!r}"


def _language(page):
    language, texts = page.evaluate(
        """() => {
            const texts = [document.title, document.body.innerText];
            for (const name of ["aria-label", "placeholder", "title", "alt", "data-label"])
                for (const element of document.querySelectorAll(`[${name}]`)) texts.push(element.getAttribute(name));
            return [document.documentElement.lang, texts];
        }"""
    )
    if language != "vi":
        yield f"lang: {language!r}"
    for text in texts:
        for word in sorted({match.group().lower() for match in ENGLISH.finditer(text)}):
            yield f"english: {word!r} in {_short(text)!r}"
        if not unicodedata.is_normalized("NFC", text):
            yield f"nfc: {_short(text)!r}"


def _short(text):
    return " ".join(text.split())[:60]


def _sideways(page):
    """Only [data-scroll] regions may be wider than they show. innerWidth would not do: it grows with the content."""
    return page.evaluate(
        """(width) => {
            const root = document.documentElement, found = [];
            const name = (e) => e.outerHTML.replace(/\\s+/g, " ").slice(0, 80);
            if (root.clientWidth !== width) found.push(`viewport: ${root.clientWidth} for a screen of ${width}`);
            if (root.scrollWidth > root.clientWidth) {
                const wide = [...document.body.querySelectorAll("*")].filter(
                    (e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest("[data-scroll]"));
                found.push(`overflow: ${root.scrollWidth} > ${root.clientWidth}, ${wide.slice(-1).map(name)}`);
            }
            for (const e of document.body.querySelectorAll("*:not(input, textarea, select, [data-scroll])"))
                if (e.checkVisibility() && e.scrollWidth > e.clientWidth + 1
                        && /auto|scroll/.test(getComputedStyle(e).overflowX))
                    found.push(`scrolls: ${name(e)}`);
            return found;
        }""",
        page.viewport_size["width"],
    )


def _small_controls(page):
    """Controls are at least 44 × 44 px on a phone, the label of a check box or radio button included."""
    return page.evaluate(
        """(smallest) => {
            const controls = "button, .btn, select, textarea, summary, [role=button], input:not([type=hidden])";
            const found = [];
            for (const e of document.querySelectorAll(controls)) {
                const shown = e.checkVisibility({visibilityProperty: true, opacityProperty: true});
                if (!shown || e.offsetWidth <= 1) continue;
                const parts = [e, ...(/checkbox|radio/.test(e.type) ? e.labels : [])];
                const boxes = parts.map((part) => part.getBoundingClientRect());
                const width = Math.max(...boxes.map((b) => b.right)) - Math.min(...boxes.map((b) => b.left));
                const height = Math.max(...boxes.map((b) => b.bottom)) - Math.min(...boxes.map((b) => b.top));
                if (Math.min(width, height) < smallest - 0.5)
                    found.push(`small: ${Math.round(width)} × ${Math.round(height)} ${e.outerHTML.slice(0, 80)}`);
            }
            return found;
        }""",
        SMALLEST,
    )


def _axe(page, contrast):
    rules = AXE_OPTIONS["rules"] | {"color-contrast": {"enabled": contrast}}
    page.evaluate(AXE)
    # Only the violations cross over: the whole answer is megabytes, and slow.
    violations = page.evaluate(
        """async (options) => (await axe.run(document, options)).violations.map(
            (violation) => [violation.id, violation.nodes.map((node) => node.html.slice(0, 120))])""",
        AXE_OPTIONS | {"rules": rules},
    )
    for name, nodes in violations:
        yield from (f"{name}: {html}" for html in nodes)
