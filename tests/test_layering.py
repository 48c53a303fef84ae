"""The house rules that reading the source can prove, and for each a sample that breaks it."""

import ast
import re
from itertools import chain

import pytest
from django.conf import settings

FLOORS = ["unionwork", "units", "targets", "activities", "reports"]  # imports point down: to the left
# The rooms of activities: over its ground (what a record is and what it counts), each may lean on those to its left.
ROOMS = ["writing", "declaring", "reviewing", "joint", "lists", "reporting", "locking", "moves"]
OVER_THE_ROOMS = {"urls.py", "views.py", "templatetags", "management"}  # what brings them together
RELATIONS = {"ForeignKey", "OneToOneField", "ManyToManyField"}
BY_NAME = {"import_module", "import_string", "get_model", "__import__"}
# Named by text, because Django wires the floors together there.
COMPOSITION = {"unionwork/settings.py", "unionwork/urls.py"}


def sources():
    for app in FLOORS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(settings.BASE_DIR).as_posix(), path.read_text(encoding="utf-8")


def templates():
    folders = [settings.BASE_DIR / "templates", *(settings.BASE_DIR / app / "templates" for app in FLOORS)]
    for path in sorted(chain.from_iterable(folder.rglob("*.html") for folder in folders)):
        yield path.relative_to(settings.BASE_DIR).as_posix(), path.read_text(encoding="utf-8")


def called(node):
    """The last name of what a call calls: `timezone.now()` → now."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def imported(path, tree):
    """(line, dotted name) of everything imported, inside functions too, and by name too."""
    package = path.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            yield node.lineno, ".".join([*above, *filter(None, [node.module])])
        elif isinstance(node, ast.Call) and called(node) in BY_NAME and path not in COMPOSITION:
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            yield from ((node.lineno, text) for text in texts)


def upward_imports(path, source):
    floor = FLOORS.index(path.split("/")[0])
    for line, name in imported(path, ast.parse(source)):
        if name.split(".")[0] in FLOORS[floor + 1 :]:
            yield f"{path}:{line} imports {name}"


def into_another_room(path, source):
    app, here, *_ = path.split("/")
    if app != "activities" or here in OVER_THE_ROOMS:
        return
    after = ROOMS[ROOMS.index(here) + 1 :] if here in ROOMS else ROOMS
    for line, name in imported(path, ast.parse(source)):
        if name.startswith(tuple(f"activities.{room}" for room in after)):
            yield f"{path}:{line} imports {name}"


def looked_up_from_below(path, source):
    """Relations to another app's model that the other app could follow back."""
    app, tree = path.split("/")[0], ast.parse(source)
    home = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            home |= {alias.asname or alias.name: node.module.split(".")[0] for alias in node.names}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and called(node) in RELATIONS):
            continue
        words = {word.arg: word.value for word in node.keywords}
        model = ast.unparse(node.args[0] if node.args else words["to"]).strip("'\"")
        there = {"settings.AUTH_USER_MODEL": "units"}.get(model) or home.get(model)
        there = there or (model.split(".")[0] if "." in model else app)
        name = words.get("related_name")
        if there in FLOORS and there != app and not (isinstance(name, ast.Constant) and name.value == "+"):
            yield f'{path}:{node.lineno} {model} without related_name="+"'


def forbidden_python(path, source):
    """Unescaped HTML, and days taken from the host's clock instead of Asia/Ho_Chi_Minh (timezone.localdate())."""
    for node in ast.walk(ast.parse(source)):
        name = getattr(node, "attr", getattr(node, "id", None))
        if name in ("mark_safe", "SafeString") or (
            isinstance(node, ast.ImportFrom) and {"mark_safe", "SafeString"} & {alias.name for alias in node.names}
        ):
            yield f"{path}:{node.lineno} {name or 'mark_safe'}"
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value
        of_class = getattr(owner, "attr", getattr(owner, "id", "")) in ("date", "datetime")
        if of_class and node.func.attr in ("today", "now", "utcnow"):
            yield f"{path}:{node.lineno} {ast.unparse(node)}"
        if node.func.attr == "date" and isinstance(owner, ast.Call) and called(owner) == "now":
            yield f"{path}:{node.lineno} {ast.unparse(node)}"


COMMENTS = re.compile(r"{#.*?#}|{%\s*comment.*?endcomment\s*%}|<!--.*?-->", re.DOTALL)
FORBIDDEN_IN_TEMPLATES = {
    "unescaped": re.compile(r"\|\s*safe(seq)?\b|\{%\s*autoescape\s+off"),
    "inline style": re.compile(r"<style\b|<[^>]*\sstyle\s*=", re.IGNORECASE),
    "inline script": re.compile(r"<script\b(?![^>]*\ssrc\s*=)|<[^>]*\son[a-z]+\s*=|javascript:", re.IGNORECASE),
    "foreign file": re.compile(r"<(script|link|img|iframe)\b[^>]*\s(src|href)\s*=\s*[\"']?(https?:)?//", re.IGNORECASE),
}


def forbidden_in_template(path, source):
    source = COMMENTS.sub(lambda comment: "\n" * comment.group().count("\n"), source)
    for name, pattern in FORBIDDEN_IN_TEMPLATES.items():
        for match in pattern.finditer(source):
            yield f"{path}:{source.count(chr(10), 0, match.start()) + 1} {name}: {match.group()[:60]}"


RULES = [upward_imports, into_another_room, looked_up_from_below, forbidden_python]


@pytest.mark.parametrize("rule", RULES)
def test_the_code_keeps(rule):
    read = list(sources())
    assert len(read) > 40
    assert [fault for path, source in read for fault in rule(path, source)] == []


def test_the_templates_keep():
    assert [fault for path, source in templates() for fault in forbidden_in_template(path, source)] == []


@pytest.mark.parametrize(
    ("rule", "path", "source", "broken"),
    [
        (upward_imports, "targets/x.py", "from activities.models import Activity", True),
        (upward_imports, "targets/x.py", "import reports.shell", True),
        (upward_imports, "unionwork/x.py", "def f():\n    from units import access", True),
        (upward_imports, "units/x.py", "if True:\n    from targets import years as y", True),
        (upward_imports, "units/x.py", 'apps.get_model("activities.Activity")', True),
        (upward_imports, "units/x.py", 'import_module("reports.shell")', True),
        (upward_imports, "activities/x.py", "from targets.models import Target\nfrom .rules import Entry", False),
        (upward_imports, "reports/management/commands/x.py", "from activities import review", False),
        (upward_imports, "unionwork/urls.py", 'include("reports.urls")', False),
        (into_another_room, "activities/review.py", "from activities.writing import forms", True),
        (into_another_room, "activities/writing/x.py", "from activities.reviewing.queue import Queue", True),
        (into_another_room, "activities/reviewing/x.py", "from activities.writing import forms", False),
        (into_another_room, "activities/views.py", "from activities.reviewing import queue", False),
        (
            looked_up_from_below,
            "targets/models.py",
            'from units.models import Unit\nunit = models.ForeignKey(Unit, models.PROTECT, related_name="targets")',
            True,
        ),
        (looked_up_from_below, "targets/models.py", 'unit = models.ForeignKey("units.Unit", models.PROTECT)', True),
        (looked_up_from_below, "activities/models.py", "by = ForeignKey(settings.AUTH_USER_MODEL, CASCADE)", True),
        (looked_up_from_below, "targets/models.py", 'to = models.ManyToManyField(to="units.Unit")', True),
        (
            looked_up_from_below,
            "targets/models.py",
            'from units.models import Unit\nunit = models.ForeignKey(Unit, models.PROTECT, related_name="+")',
            False,
        ),
        (looked_up_from_below, "units/models.py", 'user = models.ForeignKey("User", CASCADE)', False),
        (looked_up_from_below, "units/models.py", 'user = models.ForeignKey("units.User", CASCADE)', False),
        (forbidden_python, "units/x.py", "from django.utils.safestring import mark_safe", True),
        (forbidden_python, "units/x.py", "safestring.mark_safe(name)", True),
        (forbidden_python, "units/x.py", "date.today()", True),
        (forbidden_python, "units/x.py", "datetime.datetime.now(tz)", True),
        (forbidden_python, "units/x.py", "timezone.now().date()", True),
        (forbidden_python, "units/x.py", "timezone.localdate()\ntimezone.now()\nmoment.date()", False),
        (forbidden_in_template, "a.html", "{{ name|safe }}", True),
        (forbidden_in_template, "a.html", "{% autoescape off %}", True),
        (forbidden_in_template, "a.html", '<td class="so"\n style="color: red">', True),
        (forbidden_in_template, "a.html", "<style>", True),
        (forbidden_in_template, "a.html", '<script nonce="{{ n }}">', True),
        (forbidden_in_template, "a.html", '<button onclick="go()">', True),
        (forbidden_in_template, "a.html", '<script src="https://cdn.test/a.js"></script>', True),
        (forbidden_in_template, "a.html", "{# |safe #}<script src=\"{% static 'a.js' %}\" defer></script>", False),
        (forbidden_in_template, "a.html", '<a href="https://doanthanhnien.vn" data-on="1">{{ safe }}</a>', False),
    ],
)
def test_each_rule_finds_what_breaks_it_and_only_that(rule, path, source, broken):
    assert bool(list(rule(path, source))) is broken
