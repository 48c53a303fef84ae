"""Who may open what: every route × method × role × relation against a table that people filled in.

`tests/permissions.csv` says what each role must get; nothing in it comes from the code. A new route, role or relation
fails here until somebody has written its rows: `python -m tests.write_permissions` prints what is missing.
"""

import csv
import io
import re
import zipfile
from contextlib import contextmanager, nullcontext
from functools import cache
from itertools import chain
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.contrib.messages import get_messages
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import get_converters

from activities.querysets import ActivityQuerySet
from targets.querysets import TargetQuerySet
from tests.policy_world import (
    HOME,
    INSIDE,
    NAME,
    PERSON,
    RECORD,
    RELATIONS,
    ROLES,
    SUPERIORS,
    TARGET,
    PolicyWorld,
    marks_in,
    unit_code,
)
from unionwork import policy, urls
from units import access
from units.scope import UnitQuerySet

pytestmark = [pytest.mark.django_db, pytest.mark.once]
TABLE = Path(__file__).with_name("permissions.csv")
METHODS = ("GET", "POST")

# --- What each address needs ---------------------------------------------------------
# A route with a converter must stand in OBJECTS, one that takes a unit in its query in IN_QUERY: both are tried in
# every relation to the actor's unit. Routes that belong to no unit stand in PLACELESS.


def evidence(world, code):
    return {"key": world.evidence[code].key}


def record(state):
    return lambda world, code: {"pk": world.records[code, state].pk}


def correction(world, code):
    return {"pk": world.corrections[code].pk}


def host(world, code):
    return {"pk": world.invited[code].pk}


def target(world, code):
    return {"pk": world.targets[code].pk}


def report(world, code):
    return {"pk": world.reports[code].pk}


def campaign(world, code):
    return {"pk": world.campaigns[code].pk}


def shared_filter(world, code):
    return {"pk": world.shared_filters[code].pk}


def measure(world, code):
    return {"pk": world.totals[code].pk}


OBJECTS = {
    "unit_detail": lambda world, code: {"code": unit_code(code)},
    "unit_rename": lambda world, code: {"code": unit_code(code)},
    "saved_filter": shared_filter,
    "unit_move": lambda world, code: {"code": unit_code(code)},
    "activity_detail": record("approved"),
    "activity_edit": record("draft"),
    "activity_repeat": record("approved"),
    "activity_submit": record("draft"),
    "activity_withdraw": record("pending"),
    "activity_approve": record("pending"),
    "activity_return": record("pending"),
    "activity_correct": record("pending"),
    "activity_unmerge": record("cancelled"),
    "correction_adopt": correction,
    "correction_refuse": correction,
    "correction_withdraw": correction,
    "review_item": record("pending"),
    "review_look": record("pending"),
    "review_feeds": record("pending"),
    "activity_unapprove": record("approved"),
    "activity_cancel": record("pending"),
    "activity_restore": record("cancelled"),
    "hosting_confirm": host,
    "hosting_decline": host,
    "evidence_file": evidence,
    "evidence_thumbnail": evidence,
    "evidence_remove": evidence,
    "target_detail": target,
    "target_edit": target,
    "target_delete": target,
    "measure_assign": measure,
    "measure_register": measure,
    "measure_tree": measure,
    "draft_discard": measure,
    "report_detail": report,
    "report_accept": report,
    "report_send_back": report,
    "report_reopen": report,
    "unlock_close": lambda world, code: {"pk": world.unlocks[code].pk},
    "campaign_edit": campaign,
    "campaign_remove": campaign,
    "decision_detail": lambda world, code: {"pk": world.decisions[code].pk},
    "decision_file": lambda world, code: {"pk": world.decisions[code].pk},
    "milestone_create": lambda world, code: {"measure": world.dates[code].pk},
    "history": lambda world, code: {"slug": "don-vi", "key": world.units[code].pk},
}
IN_QUERY = {
    "dashboard": "don-vi",
    "progress": "don-vi",
    "year_report": "don-vi",
    "year_report_xlsx": "don-vi",
    "activity_list": "don-vi",
    "activity_list_xlsx": "don-vi",
    "activity_list_csv": "don-vi",
    "activity_create": "don-vi",
    "activity_figures": "don-vi",
    "quick_table": "don-vi",
    "declaration_list": "don-vi",
    "declaration_create": "don-vi",
    "declaration_table": "don-vi",
    "period_list": "don-vi",
    "period_report": "don-vi",
    "period_withdraw": "don-vi",
    "period_children": "don-vi",
    "reports_accept": "don-vi",
    "campaign_add": "don-vi",
    "unlock_create": "don-vi",
    "late_list": "don-vi",
    "late_list_xlsx": "don-vi",
    "late_list_csv": "don-vi",
    "late_remind": "don-vi",
    "rate_table": "don-vi",
    "rate_table_xlsx": "don-vi",
    "rate_table_csv": "don-vi",
    "target_list": "don-vi",
    "target_checks": "don-vi",
    "giving_table_xlsx": "don-vi",
    "giving_table_import": "don-vi",
    "target_add": "don-vi",
    "target_copy": "don-vi",
    "target_preview": "don-vi",
    "target_import": "don-vi",
    "target_export": "don-vi",
    "intake": "don-vi",
    "intake_answer": "don-vi",
    "issue": "don-vi",
    "unit_add": "cap-tren",
    "journal_list": "don-vi",
    "journal_xlsx": "don-vi",
    "journal_csv": "don-vi",
}
PLACELESS = {
    "indicator_edit": lambda world: {"pk": world.trees.pk},
    "period_edit": lambda world: {"pk": world.month.pk},
    "year_close": lambda world: {"year": 2024},
    "year_editing": lambda world: {"year": 2024},
    "year_reopen": lambda world: {"year": 2024},
    "draft_drop": lambda world: {"key": world.typing.key},
    "notice_open": lambda world: {"pk": world.notice.pk},
    "saved_filter_edit": lambda world: {"pk": world.saved_filter.pk},
    "saved_filter_delete": lambda world: {"pk": world.saved_filter.pk},
}


def routes(resolver=None, prefix=""):
    """Every (address, pattern) of the site. A pattern of no known class is an error, never skipped."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry, prefix + str(entry.pattern))
        else:
            assert isinstance(entry, URLPattern)
            yield prefix + str(entry.pattern), entry


def names():
    return sorted(entry.name or f"(không tên) {address}" for address, entry in routes())


def relations_of(name):
    if name in OBJECTS:
        return RELATIONS
    return ("-", *RELATIONS) if name in IN_QUERY else ("-",)


def keys():
    """Every (route, method, relation) there is; the roles are the table's columns."""
    return [(name, method, relation) for name in names() for method in METHODS for relation in relations_of(name)]


@cache
def table():
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def address(world, name, role, relation):
    if name in OBJECTS:
        return reverse(name, kwargs=OBJECTS[name](world, world.at(role, relation)))
    if name in PLACELESS:
        return reverse(name, kwargs=PLACELESS[name](world))
    query = f"?{IN_QUERY[name]}={unit_code(world.at(role, relation))}" if relation != "-" else ""
    return reverse(name) + query


# --- The declaration ---------------------------------------------------------------


def test_every_route_has_a_name_of_its_own_and_a_policy():
    found = list(routes())
    assert [where for where, entry in found if not entry.name] == []
    assert len({entry.name for _, entry in found}) == len(found)
    assert [entry.name for _, entry in found if not hasattr(entry.callback, "policy")] == []


def test_every_route_with_a_converter_has_an_object_to_try():
    known = set(get_converters().values())
    for where, entry in routes():
        converters = entry.pattern.converters
        assert {type(converter) for converter in converters.values()} <= {type(each) for each in known}, where
        assert bool(converters) == (entry.name in OBJECTS or entry.name in PLACELESS), where


def test_only_signing_in_and_out_is_open_to_everybody():
    assert [e.name for _, e in routes() if not getattr(e.callback, "login_required", True)] == ["login", "logout"]


def test_the_table_names_exactly_what_there_is():
    rows = [(row["route"], row["method"], row["relation"]) for row in table()]
    assert len(rows) == len(set(rows))
    assert set(rows) == set(keys())
    assert {tuple(row) for row in table()} == {("route", "method", "relation", *ROLES)}
    answers = {row[role] for row in table() for role in ROLES}
    assert answers == {"ok", "login", "403", "404", "405"}


# --- Every cell ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Built once for the module; every cell works in a savepoint of its own."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = PolicyWorld()
        made.cookies = {}
        for role, user in made.users.items():
            client = Client()
            client.force_login(user)
            made.cookies[role] = {name: morsel.value for name, morsel in client.cookies.items()}
        yield made
        transaction.set_rollback(True)


class Writes:
    """Notes every statement that changed a row."""

    def __init__(self):
        self.found = []

    def __call__(self, execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        changes = sql.lstrip().split(None, 1)[0].upper() not in (
            "SELECT",
            "SAVEPOINT",
            "RELEASE",
            "ROLLBACK",
            "EXPLAIN",
        )
        if changes and context["cursor"].rowcount != 0:
            self.found.append(sql[:200])
        return result


server = ClientHandler(enforce_csrf_checks=False)  # one for all: a client's own sets the middleware up again


@contextmanager
def refusals_undrawn():
    """Refused pages are answered by their status alone: drawing them takes most of the time of a refusal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urls, "handler403", lambda request, exception: HttpResponse(status=403))
        patch.setattr(urls, "handler404", lambda request, exception: HttpResponse(status=404))
        yield


def ask(world, role, method, where, body=None, headers=None):
    """The response and the statements that changed something; undone afterwards."""
    client = Client()
    client.handler = server
    for name, value in world.cookies.get(role, {}).items():
        client.cookies[name] = value
    writes = Writes()
    with transaction.atomic(), connection.execute_wrapper(writes):
        form = "application/x-www-form-urlencoded"
        response = client.generic(method, where, urlencode(body or {}), content_type=form, headers=headers)
        if response.streaming:  # has to be read inside
            content = b"".join(response.streaming_content)
            response = HttpResponse(content, status=response.status_code, headers=dict(response.headers))
        transaction.set_rollback(True)
    return response, writes.found


def answer(response):
    if response.status_code == 302 and response.url.startswith(reverse("login")) and "next=" in response.url:
        return "login"
    return "ok" if response.status_code in (200, 204, 301, 302, 422) else str(response.status_code)


def wrong_cells(world, name):
    """What differs from the table, what wrote although it was refused or only asked, and what a page shows of people,
    records and targets beside. How a person is refused on this route is drawn once."""
    drawn = set()
    for row in table():
        if row["route"] != name:
            continue
        for role in ROLES:
            where = address(world, name, role, row["relation"])
            with refusals_undrawn() if (role, row[role]) in drawn else nullcontext():
                response, writes = ask(world, role, row["method"], where)
            drawn.add((role, row[role]))
            got = answer(response)
            cell = f"{role} {row['method']} {name} ({row['relation']})"
            if got != row[role]:
                yield f"{cell}: {got}, expected {row[role]}"
            if writes and (row["method"] == "GET" or got != "ok"):
                yield f"{cell}: {got}, and wrote {writes}"
            if response.status_code in (200, 422) and role in HOME and (told := leaked(role, name, where, response)):
                yield f"{cell}: shows {told}"


@pytest.mark.parametrize("name", names())
def test_everybody_gets_what_the_table_says(world, name):
    assert list(wrong_cells(world, name)) == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_other_method_is_answered(world, method):
    answers = {}
    for name in names():
        relation = "own" if name in OBJECTS else "-"
        response, writes = ask(world, "superuser", method, address(world, name, "superuser", relation))
        answers[name] = (answer(response), writes)
    assert answers == dict.fromkeys(names(), ("405", []))


def test_a_fragment_is_guarded_like_a_page(world):
    """htmx asks for no less right than a browser does."""
    for row in table():
        if row["method"] == "GET" and row["relation"] in ("sibling", "other_province"):
            for role in ("none", *HOME):
                if row[role] == "ok":
                    continue
                where = address(world, row["route"], role, row["relation"])
                with refusals_undrawn():  # drawn above
                    response, _ = ask(world, role, "GET", where, headers={"HX-Request": "true"})
                assert (role, where, answer(response)) == (role, where, row[role])


def test_what_is_out_of_scope_looks_like_what_does_not_exist(world):
    there, _ = ask(world, "cadre", "GET", address(world, "activity_detail", "cadre", "other_province"))
    nowhere, _ = ask(world, "cadre", "GET", reverse("activity_detail", kwargs={"pk": 10**9}))
    assert there.status_code == nowhere.status_code == 404
    assert without_tokens(there) == without_tokens(nowhere)


def without_tokens(response):
    """The page but for its one-time tokens and the address that was asked for."""
    page = response.content.decode().replace(response.request["PATH_INFO"], "")
    return re.sub(r'(nonce|value|content)="[^"]{20,}"|\{"X-CSRFToken": "[^"]+"\}', "", page)


def test_bulk_approval_tells_nothing_of_records_beside(world):
    def told(pk):
        body = {"chon": f"{pk}:1", "xac-nhan": "1"}
        response, writes = ask(world, "secretary", "POST", reverse("review_queue"), body)
        assert (response.status_code, writes) == (302, [])
        return [message.message for message in get_messages(response.wsgi_request)]

    assert told(world.records["k2", "draft"].pk) == told(world.records["k2", "pending"].pk) == told(10**9)


# In sight, but not for this person to do: 403. The world's “two_roles” looks on at k1 and works, in every role, in k1s.
ONLY_SEEN = {
    "saved_filter": "ok",
    "activity_detail": "ok",
    "activity_edit": "403",
    "activity_repeat": "403",
    "activity_submit": "403",
    "activity_withdraw": "403",
    "activity_approve": "403",
    "activity_return": "403",
    "activity_correct": "403",
    "activity_unmerge": "403",
    "correction_adopt": "403",
    "correction_refuse": "403",
    "correction_withdraw": "403",
    "review_item": "403",
    "review_look": "403",
    "review_feeds": "403",
    "activity_unapprove": "403",
    "activity_cancel": "403",
    "activity_restore": "403",
    "hosting_confirm": "403",
    "hosting_decline": "403",
    "evidence_file": "ok",
    "evidence_thumbnail": "ok",
    "evidence_remove": "403",
    "unit_detail": "ok",
    "unit_rename": "403",
    "unit_move": "403",
    "target_detail": "ok",
    "target_edit": "403",
    "target_delete": "403",
    "measure_assign": "403",
    "measure_register": "403",
    "measure_tree": "ok",
    "draft_discard": "403",
    "report_detail": "ok",
    "report_accept": "403",
    "report_send_back": "403",
    "report_reopen": "403",
    "campaign_edit": "403",
    "campaign_remove": "403",
    "unlock_close": "403",
    "decision_detail": "ok",
    "decision_file": "ok",
    "milestone_create": "ok",
    "history": "ok",
}


def wrong_in_sight(world, name):
    where = reverse(name, kwargs=OBJECTS[name](world, "k1"))
    for row in table():
        if (row["route"], row["relation"]) == (name, "own") and row["none"] != "405":
            response, writes = ask(world, "two_roles", row["method"], where)
            if answer(response) != ONLY_SEEN[name] or (writes and ONLY_SEEN[name] != "ok"):
                yield f"{row['method']} {name}: {answer(response)}, expected {ONLY_SEEN[name]}"


def test_what_is_only_in_sight_is_not_theirs_to_change(world):
    assert set(ONLY_SEEN) == set(OBJECTS)
    assert [wrong for name in ONLY_SEEN for wrong in wrong_in_sight(world, name)] == []


def test_a_co_host_sees_the_record_and_changes_nothing(world):
    joint = world.joint.pk
    answers = {}
    for name in [name for name in OBJECTS if name.startswith("activity_")]:
        response, writes = ask(world, "cadre", "POST", reverse(name, kwargs={"pk": joint}))
        answers[name] = (answer(response), writes)
    seen, _ = ask(world, "cadre", "GET", reverse("activity_detail", kwargs={"pk": joint}))
    assert answer(seen) == "ok"
    assert answers == {name: ("405" if name == "activity_detail" else "403", []) for name in answers}


def test_nobody_decides_what_they_wrote(world):
    for name in ("activity_approve", "activity_return"):
        response, writes = ask(world, "secretary", "POST", reverse(name, kwargs={"pk": world.own_work.pk}))
        assert (answer(response), writes) == ("403", [])


def test_a_base_secretary_does_not_decide_for_the_own_unit(world):
    for code, expected in (("b11", "403"), ("c111", "ok")):
        where = reverse("activity_approve", kwargs={"pk": world.records[code, "pending"].pk})
        response, _ = ask(world, "base_secretary", "POST", where)
        assert answer(response) == expected


# --- Controls: with one guard taken away the table must complain -------------------------


def everything(self, user, *act):
    return self


@pytest.mark.parametrize(
    ("owner", "guard", "without", "name"),
    [
        (ActivityQuerySet, "visible_to", everything, "activity_detail"),
        (ActivityQuerySet, "editable_by", everything, "activity_edit"),
        (ActivityQuerySet, "decidable_by", everything, "activity_return"),
        (UnitQuerySet, "reached", everything, "unit_detail"),
        (UnitQuerySet, "editable_by", everything, "unit_rename"),
        (TargetQuerySet, "visible_to", everything, "target_detail"),
        (TargetQuerySet, "editable_by", everything, "target_edit"),
        (access.Act, "held_by", lambda self, user: True, "review_queue"),
        (access.Act, "held_by", lambda self, user: True, "year_close"),
        (policy.Everybody, "held_by", lambda self, user: False, "help"),
    ],
)
def test_a_missing_guard_is_noticed(world, monkeypatch, owner, guard, without, name):
    monkeypatch.setattr(owner, guard, without)
    seen_only = wrong_in_sight(world, name) if name in OBJECTS else ()
    assert next(chain(wrong_cells(world, name), seen_only), None)


# --- What pages give away --------------------------------------------------------------

# Beside the own branch everybody is told the names of the superiors and the superiors' targets, which are theirs to
# meet. Nothing of records or people above, and nothing at all beside.
TOLD_OF_SUPERIORS = {NAME, TARGET}
# b11 took part in an activity that b21 leads: each host is told the other's name.
JOINT = {(NAME, "b21")}
# Finding hosts for a joint activity crosses khối and provinces: names and codes, nothing else.
EVERY_NAME = ("unit_search",)


def text_of(response):
    if response.headers["Content-Type"].startswith("application/vnd.openxmlformats"):
        with zipfile.ZipFile(io.BytesIO(response.content)) as parts:
            return "\n".join(parts.read(part).decode() for part in parts.namelist())
    return response.content.decode()


def may_be_told(role):
    home = HOME[role]
    inside = {(what, code) for what in (NAME, RECORD, TARGET, PERSON) for code in INSIDE[home]}
    above = {(what, code) for what in TOLD_OF_SUPERIORS for code in SUPERIORS[home]}
    return inside | above | JOINT


def leaked(role, name, where, response):
    """What the page at `where` tells that this role may not be told."""
    told = marks_in(text_of(response)) - may_be_told(role) - marks_in(where)
    return sorted((what, code) for what, code in told if what != NAME or name not in EVERY_NAME)


def searches(world):
    """Further things that pages can be asked for; the table asks every page as it opens by itself."""
    yield "activity_list", reverse("activity_list") + "?q=viec"
    yield "progress", reverse("progress") + f"?y={world.totals['tw'].pk}"
    yield "unit_tree", reverse("unit_tree") + "?q=don"
    opened = "&".join(f"mo={unit_code(code)}" for code in world.units)
    yield "unit_tree", reverse("unit_tree") + "?" + opened
    yield "unit_add", reverse("unit_add") + "?tim=don"
    yield "late_list", reverse("late_list") + "?ca-cay=1&tinh-trang=phai"
    yield "rate_table", reverse("rate_table") + "?loai=year"


@pytest.mark.parametrize("role", sorted(HOME))
def test_no_search_tells_of_what_lies_beside(world, role):
    for name, where in searches(world):
        response, _ = ask(world, role, "GET", where)
        assert (where, leaked(role, name, where, response)) == (where, [])


@pytest.mark.parametrize(("owner", "name"), [(ActivityQuerySet, "activity_list"), (UnitQuerySet, "unit_tree")])
def test_a_leak_is_noticed(world, monkeypatch, owner, name):
    monkeypatch.setattr(owner, "visible_to", everything)
    where = reverse(name) + "?per_page=100"
    response, _ = ask(world, "cadre", "GET", where)
    assert leaked("cadre", name, where, response) != []


def test_every_mark_can_be_read(world):
    """So that their absence above means something."""
    shown = {
        RECORD: reverse("activity_list") + "?per_page=100",
        TARGET: reverse("target_list") + f"?don-vi={unit_code('c111')}",
        NAME: reverse("unit_tree") + "?q=don",
    }
    for what, where in shown.items():
        response, _ = ask(world, "superuser", "GET", where)
        assert what in {each for each, _ in marks_in(text_of(response))}
    response, _ = ask(world, "superuser", "GET", shown[RECORD])
    assert {code for what, code in marks_in(text_of(response)) if what == RECORD} == set(world.units)
    response, _ = ask(world, "superuser", "GET", reverse("unit_detail", args=[unit_code("k2")]))
    assert (PERSON, "k2") in marks_in(text_of(response))
    response, _ = ask(world, "superuser", "GET", reverse("year_report_xlsx") + f"?don-vi={unit_code('k2')}")
    assert {(NAME, "k2"), (NAME, "b21")} <= marks_in(text_of(response))
