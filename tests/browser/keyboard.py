"""Walking a page with the Tab key: `tab_walk(page)` lists what somebody without a mouse would stumble over."""

# The controls that Tab must reach, in the order of the page. Of a group of radio buttons it is the chosen one, else
# the first.
STOPS = """() => {
    const found = "a[href], button, input, select, textarea, summary, [tabindex]";
    window.stops = [...document.querySelectorAll(found)].filter((e) => {
        const shown = e.checkVisibility({visibilityProperty: true});
        if (e.disabled || e.type === "hidden" || e.tabIndex < 0 || !shown) return false;
        if (e.type !== "radio") return true;
        const others = [...document.querySelectorAll("[type=radio]")];
        const group = others.filter((one) => one.name === e.name && one.form === e.form);
        return e === (group.find((one) => one.checked) || group[0]);
    });
    return window.stops.map((e) => e.outerHTML.replace(/\\s+/g, " ").slice(0, 90));
}"""
# Where the focus stands: the number of the stop (-1: none of them), and what is wrong with how it shows.
HERE = """() => {
    const e = document.activeElement, wrong = [];
    if (e === document.body) return [null, wrong];
    const seen = e.matches(".btn-check") ? e.labels[0] : e;  // the box itself is not drawn, its label is
    const style = getComputedStyle(seen);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) wrong.push("no visible focus");
    const box = seen.getClientRects()[0];
    const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2;
    const x = middle(box.left, box.right, innerWidth), y = middle(box.top, box.bottom, innerHeight);
    const hit = document.elementFromPoint(x, y);
    if (!hit || !(seen.contains(hit) || hit.contains(seen) && hit.closest("label"))) {
        wrong.push(`hidden by ${hit ? hit.outerHTML.replace(/\\s+/g, " ").slice(0, 60) : "the edge"}`);
    }
    return [window.stops.indexOf(e), wrong];
}"""


def tab_walk(page):
    """Complaints of a walk from the top of the page to its last control and back again."""
    names = page.evaluate(STOPS)
    there = range(len(names))
    return [*_walk(page, "Tab", there, names), *_walk(page, "Shift+Tab", there[-2::-1], names)]


def _walk(page, key, expected, names):
    stops = []
    for _ in expected:
        page.keyboard.press(key)
        stop, wrong = page.evaluate(HERE)
        stops.append(stop)
        for each in wrong:
            yield f"{key}: {each}: {names[stop]}"
    if stops != list(expected):
        yield f"{key}: missed {[names[number] for number in expected if number not in stops]}, stops {stops}"
