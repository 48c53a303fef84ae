"""Everything that writes is a verb, and every verb obeys the locks.

A new verb stands in ON_RECORDS (how it is called on a record of a locked period: it must be refused and leave
everything as it was) or in ELSEWHERE (why no lock of a period concerns it); until then the suite fails.
"""

import ast
import hashlib
import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
import uuid
from contextlib import contextmanager
from datetime import date
from functools import cache

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from activities import locks, recording, review
from activities.declaring import declaration_table
from activities.joint import hosting
from activities.models import Activity, Correction, Event, Evidence, Figure, Host, Status, UnitTotal
from activities.moves import moving
from activities.moves.move_preview import move_as_previewed, preview_move
from activities.reviewing import correcting, merging
from activities.rules import Entry
from activities.writing import corrections, evidence, repeating
from targets.models import WorkYear
from tests.activities.locking import YEAR, lock_own, lock_superior, lock_year, unlock
from tests.factories import approve, make_activity, make_user
from tests.test_layering import FLOORS, ROOMS, sources
from unionwork.numbers import Parsed
from unionwork.uploads import Upload
from unionwork.verbs import VERBS, verb
from units import access
from units.models import Placement

for app in FLOORS[1:]:
    package = importlib.import_module(app)
    for module in pkgutil.walk_packages(package.__path__, f"{app}."):
        importlib.import_module(module.name)

# --- Who writes ----------------------------------------------------------------------------

WRITES = {"save", "create", "bulk_create", "bulk_update", "update", "delete", "get_or_create", "update_or_create"}
# Functions that write without being a verb or a private part of one in their own module, and why that is right.
PART_OF_VERBS = "shared by verbs, which call it inside their transaction"
LEAVES = "what a verb leaves behind, as its last act"
HOUSEKEEPING = "clears away what belongs to nobody any more; says nothing and counts nothing"
OWN_VIEW = "how somebody likes the pages shown; says nothing about the union's work"
WRITERS = {
    "activities/events.py:write": LEAVES,
    "activities/writing/evidence.py:sweep": HOUSEKEEPING,
    "activities/writing/evidence.py:_sweep_files": HOUSEKEEPING,
    "activities/lapsing.py:lapse": PART_OF_VERBS,
    "activities/recording.py:keep_figures": PART_OF_VERBS,
    "activities/recording.py:keep_hosts": PART_OF_VERBS,
    "activities/review.py:move": PART_OF_VERBS,
    "activities/lists/saved_filters.py:remember_columns": OWN_VIEW,
    "activities/reviewing/looking.py:look": OWN_VIEW,
    "activities/locking/unlocking.py:end": PART_OF_VERBS,
    "targets/models.py:Indicator.save": PART_OF_VERBS,
    "targets/years.py:close_year": PART_OF_VERBS,
    "targets/years.py:reopen_year": PART_OF_VERBS,
    "units/journal.py:write": LEAVES,
    "units/journal.py:_make": LEAVES,
    "units/models.py:Unit.save": PART_OF_VERBS,
    "units/models.py:User.save": PART_OF_VERBS,
    "units/notices.py:tell_each": LEAVES,
    "units/notices.py:read": OWN_VIEW,
    "units/notices.py:prune": HOUSEKEEPING,
    "units/personal_views.py:settings_keys": OWN_VIEW,
    "units/tree.py:open_year": PART_OF_VERBS,
    "units/tree.py:freeze": PART_OF_VERBS,
    "units/tree.py:place_many": PART_OF_VERBS,
    "units/tree.py:set_level": PART_OF_VERBS,
    "units/tree.py:move": PART_OF_VERBS,
    "reports/demo.py:set_password": "builds the demo organisation, never on data of the union",
}
# `@transaction.atomic` alone, without the registry.
ATOMIC = {
    "activities/lists/saved_filters.py:remember_columns": OWN_VIEW,
    "targets/years.py:close_year": PART_OF_VERBS,
    "targets/years.py:reopen_year": PART_OF_VERBS,
    "units/tree.py:open_year": PART_OF_VERBS,
    "units/tree.py:place": PART_OF_VERBS,
    "units/tree.py:place_many": PART_OF_VERBS,
    "units/tree.py:set_level": PART_OF_VERBS,
    "units/tree.py:move": PART_OF_VERBS,
}


# Where modules stand: a call of something imported from there is judged in its own module.
HOUSES = {*FLOORS, *(f"activities.{room}" for room in ROOMS)}


@cache
def parsed(source):
    return ast.parse(source)


def functions(source):
    """{name: node} of a module's functions, those of its classes as Class.method."""
    tree = parsed(source)
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for holder in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        found |= {f"{holder.name}.{node.name}": node for node in holder.body if isinstance(node, ast.FunctionDef)}
    return found


def decorators(node):
    return {ast.unparse(each).partition("(")[0] for each in node.decorator_list}


def writes(node, modules):
    """Whether a function calls a writing method of a model, by its name. `x.update({…})` is a dictionary's; a function
    of that name in an imported module is no method."""
    for call in ast.walk(node):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in WRITES):
            continue
        of_module = isinstance(call.func.value, ast.Name) and call.func.value.id in modules
        of_dictionary = call.func.attr == "update" and (call.args or not call.keywords)
        if not of_module and not of_dictionary:
            return True
    return False


def writers_beside_verbs(path, source):
    """{path:function} that writes and is no verb, nor a private function that a verb of the module calls."""
    known = functions(source)
    imports = [node for node in ast.walk(parsed(source)) if isinstance(node, ast.ImportFrom) and node.module in HOUSES]
    modules = {alias.asname or alias.name for node in imports for alias in node.names}
    covered = {name for name, node in known.items() if "verb" in decorators(node)}
    looked = list(covered)
    while looked:
        named = {node.id for node in ast.walk(known[looked.pop()]) if isinstance(node, ast.Name)}
        new = {name for name in named & known.keys() - covered if name.startswith("_")}
        covered |= new
        looked += new
    return {f"{path}:{name}" for name, node in known.items() if name not in covered and writes(node, modules)}


def bare_transactions(path, source):
    named = functions(source).items()
    return {f"{path}:{name}" for name, node in named if "transaction.atomic" in decorators(node)}


@pytest.mark.once
@pytest.mark.parametrize(("rule", "known"), [(writers_beside_verbs, WRITERS), (bare_transactions, ATOMIC)])
def test_whoever_writes_is_a_verb(rule, known):
    files = [(path, source) for path, source in sources() if path.split("/")[0] in FLOORS[1:]]
    found = set().union(*(rule(path, source) for path, source in files))
    assert (sorted(found - known.keys()), sorted(known.keys() - found)) == ([], [])


def year_closers(path, source):
    """{path:function} that closes or opens a work year again."""
    if "close_year(" not in source and "reopen_year(" not in source:
        return set()
    known = functions(source).items()
    return {f"{path}:{name}" for name, node in known if re.search(r"\b(close|reopen)_year\(", ast.unparse(node.body))}


@pytest.mark.once
def test_a_year_is_closed_together_with_its_unlocks():
    found = set().union(*(year_closers(path, source) for path, source in sources() if path != "targets/years.py"))
    assert found == {"activities/locking/year_closing.py:close", "activities/locking/year_closing.py:reopen"}


@pytest.mark.once
def test_the_rules_find_what_breaks_them():
    source = """
from activities import recording

@verb("Ghi")
def write(*, row):
    _keep(row)

def _keep(row):
    row.save()
    recording.create(row)

def slips_in(row):
    type(row).objects.filter(pk=1).update(status="x")

def harmless(row):
    {}.update(row)
    recording.create(row)

@transaction.atomic
def old(row):
    return _lost(row)

def _lost(row):
    row.delete()
"""
    assert writers_beside_verbs("x.py", source) == {"x.py:slips_in", "x.py:_lost"}
    assert bare_transactions("x.py", source) == {"x.py:old"}


# --- What a lock stops ----------------------------------------------------------------------

DAY = date(YEAR, 3, 26)


def entry_for(world, day=DAY, figures=None, kind=None, **fields):
    activity = Activity(unit=world.b11, kind=kind or world.planting, title="Mới", first_day=day, last_day=day, **fields)
    return Entry(activity, figures or {world.trees: Parsed(7)})


def changed(activity, world, value=99):
    return Entry(Activity.objects.get(pk=activity.pk), {world.trees: Parsed(value)})


def stands(outcome):
    """Of a verb that answers one by one: a refusal because of a lock is raised, any other is an error of the test."""
    if outcome.refused:
        raise locks.Locked(outcome.refused[0][1]) if "khoá" in outcome.refused[0][1] else AssertionError(outcome)


@contextmanager
def one_by_one():
    """Pages of several records say what is refused beside each."""
    try:
        yield
    except repeating.Refused as refused:
        words = str(refused.errors)
        raise locks.Locked(words) if "khoá" in words else AssertionError(words) from None


def write_several(w):
    with one_by_one():
        repeating._write_down(entries={"Dòng 1": entry_for(w)}, actor=w.cadre, send=False)


def declare(w):
    entry = entry_for(w, date(YEAR, 1, 31), {w.members: Parsed(50)}, w.declaring)
    with one_by_one():
        declaration_table._declare(entries=[(entry, {})], actor=w.cadre)


def move_seen(w):
    seal = preview_move(unit=w.b11, parent=w.k2, year=YEAR).seal
    return move_as_previewed(unit=w.b11, parent=w.k2, year=YEAR, actor=w.admin, reason="QĐ 1", seal=seal)


def upload(w):
    file = Upload(b"x", "image/jpeg", "anh.jpg", 1, "0" * 64, None, "")
    return evidence.attach_upload(form_key=w.pending.form_key, key=uuid.uuid4(), upload=file, actor=w.cadre)


ON_RECORDS = {
    "activities.recording.create_many": lambda w: recording.create_many(entries=[entry_for(w)], actor=w.cadre),
    "activities.recording.edit": lambda w: recording.edit(
        entry=changed(w.pending, w), actor=w.cadre, version=w.pending.version
    ),
    "activities.review.submit": lambda w: review.submit(activity=w.draft, actor=w.cadre),
    "activities.review.submit_many": lambda w: review.submit_many(ids=[w.draft.pk], actor=w.cadre),
    "activities.review.withdraw": lambda w: review.withdraw(activity=w.pending, actor=w.cadre),
    "activities.review.approve": lambda w: review.approve(activity=w.pending, actor=w.secretary),
    "activities.review.approve_many": lambda w: stands(review.approve_many(ids=[w.pending.pk], actor=w.secretary)),
    "activities.review.return_to_author": lambda w: review.return_to_author(
        activity=w.pending, actor=w.secretary, reason="Thiếu ảnh"
    ),
    "activities.review.unapprove": lambda w: review.unapprove(activity=w.approved, actor=w.secretary, reason="Nhầm"),
    "activities.review.undo": lambda w: stands(
        review.undo(decided={w.approved.pk: w.approved.version}, actor=w.secretary)
    ),
    "activities.review.cancel": lambda w: review.cancel(activity=w.approved, actor=w.cadre, reason="Nhầm"),
    "activities.review.restore": lambda w: review.restore(activity=w.cancelled, actor=w.cadre),
    "activities.correcting.correct_and_approve": lambda w: correcting.correct_and_approve(
        activity=w.pending, actor=w.secretary, figures={w.trees: Parsed(99)}, reason="Đếm lại", seen=w.pending.version
    ),
    "activities.corrections.propose": lambda w: corrections.propose(
        entry=changed(w.approved, w), actor=w.cadre, version=w.approved.version, reason="Đếm lại"
    ),
    "activities.corrections.adopt": lambda w: corrections.adopt(correction=w.correction, actor=w.secretary),
    "activities.merging.merge": lambda w: merging.merge(
        keep=w.beside, other=w.pending, actor=w.secretary, reason="Một việc"
    ),
    "activities.merging.unmerge": lambda w: merging.unmerge(other=w.merged, actor=w.secretary),
    "activities.evidence.attach_upload": upload,
    "activities.evidence.claim": lambda w: evidence.claim(activity=w.draft, actor=w.cadre),
    "activities.evidence.remove": lambda w: evidence.remove(evidence=w.photo, actor=w.cadre),
    "activities.repeating._write_down": write_several,
    "activities.declaration_table._declare": declare,
    "activities.hosting.confirm": lambda w: hosting.confirm(activity=w.joint, unit=w.b12, actor=w.secretary),
    "activities.hosting.decline": lambda w: hosting.decline(
        activity=w.joint, unit=w.b12, actor=w.secretary, reason="Không tham gia"
    ),
    "activities.moving.move_unit": lambda w: moving.move_unit(
        unit=w.b11, parent=w.k2, year=YEAR, actor=w.admin, reason="QĐ 1"
    ),
    "activities.move_preview.move_as_previewed": move_seen,
}
# A move never touches a closed year: it is done in the other years instead of refused.
PASSES_BY = {"activities.moving.move_unit", "activities.move_preview.move_as_previewed"}

TYPING = "what somebody is typing: judged by nobody, no record yet"
ASKED = "what is asked, not what was done; a closed year refuses it (tests/targets)"
WHO = "who there is, not what was done: no record and no total changes; a closed year's tree is frozen (tests/units)"
LOCKS = "gives, takes or opens the locks themselves (tests/activities: test_locks, test_periods)"
SAID = "tells people something; changes no record"
VIEWS = "how somebody likes the list shown"
STAYS = "the record stays as it is: no figure changes (tests/activities/test_corrections)"
ELSEWHERE = {
    "activities.corrections.refuse": STAYS,
    "activities.corrections.withdraw": STAYS,
    "activities.warnings.answer": "keeps the answer of a record just sent in the same transaction: a lock stops that",
    "activities.drafts.keep": TYPING,
    "activities.drafts.drop": TYPING,
    "activities.drafts.carry_over": TYPING,
    "activities.periods.report": LOCKS,
    "activities.periods.withdraw_report": LOCKS,
    "activities.periods.accept": LOCKS,
    "activities.periods.accept_many": LOCKS,
    "activities.periods.send_back": LOCKS,
    "activities.periods.reopen_report": LOCKS,
    "activities.unlocking.unlock": LOCKS,
    "activities.unlocking.close_unlock": LOCKS,
    "activities.year_closing.ask": LOCKS,
    "activities.year_closing.drop": LOCKS,
    "activities.year_closing.close": LOCKS,
    "activities.year_closing.reopen": LOCKS,
    "activities.reminders.remind": SAID,
    "activities.reminders.nudge": SAID,
    "activities.saved_filters.save": VIEWS,
    "activities.saved_filters.change": VIEWS,
    "activities.saved_filters.delete": VIEWS,
    "targets.years.open_year": LOCKS,
    "targets.years.set_keeps_approved": "how approved records are changed from now on; changes none",
    "targets.periods.set_period": LOCKS,
    "targets.periods.add_campaign": LOCKS,
    "targets.periods.change_campaign": LOCKS,
    "targets.periods.remove_campaign": LOCKS,
    "targets.setting.create_target": ASKED,
    "targets.setting.edit_target": ASKED,
    "targets.setting.delete_target": ASKED,
    "targets.assignment.assign": ASKED,
    "targets.assignment.register": ASKED,
    "targets.replies.reply": ASKED,
    "targets.intake.answer": ASKED,
    "targets.catalogue.save_indicator": "an indicator that records use keeps its nature, decimals and place",
    "targets.copying.copy_targets": ASKED,
    "targets.giving.save_draft": ASKED,
    "targets.giving.discard": ASKED,
    "targets.giving.issue": ASKED,
    "targets.issuing.issue_seen": ASKED,
    "reports.giving_table_reading.save": ASKED,
    "units.organising.add_unit": WHO,
    "units.organising.add_many": WHO,
    "units.organising.rename_unit": WHO,
    "units.organising.update_unit": WHO,
    "units.organising.state_parts": WHO,
    "units.organising.form_cluster": WHO,
    "units.people.add_person": WHO,
    "units.people.correct_person": WHO,
    "units.people.grant_role": WHO,
    "units.people.change_password": WHO,
    "units.people.set_mail": WHO,
    "reports.digest_mail.begin": SAID,
}


@pytest.fixture
def records(world):
    """A record of March in every state, all of b11, in a year whose approved figures are changed by corrections."""
    WorkYear.objects.filter(pk=YEAR).update(keeps_approved=True)

    def made(unit=None, **fields):
        return make_activity(unit or world.b11, world.cadre, world.planting, {world.trees: 5}, DAY, **fields)

    def sent(**fields):
        activity = made(**fields)
        review.submit(activity=activity, actor=world.cadre)
        activity.refresh_from_db()
        return activity

    world.draft, world.pending, world.beside = made(), sent(), sent(unit=world.b12)
    world.approved, world.corrected = approve(made(), world.secretary), approve(made(), world.secretary)
    world.joint, world.cancelled = sent(hosts=[world.b12]), made()
    review.cancel(activity=world.cancelled, actor=world.cadre)
    approve(make_activity(world.b11, world.cadre, world.declaring, {world.members: 80}, DAY), world.secretary)
    entry = changed(world.corrected, world)
    version = world.corrected.version
    world.correction = corrections.propose(entry=entry, actor=world.cadre, version=version, reason="Đếm lại")
    world.merged = sent()
    merging.merge(keep=sent(), other=world.merged, actor=world.secretary, reason="Một việc")
    file = {"name": "anh.jpg", "content_type": "image/jpeg", "size": 1, "sha256": "1" * 64, "uploader": world.cadre}
    world.photo = Evidence.objects.create(
        key=uuid.uuid4(), form_key=world.pending.form_key, activity=world.pending, **file
    )
    Evidence.objects.create(key=uuid.uuid4(), form_key=world.draft.form_key, **file)
    return world


def digest():
    """SHA-256 of everything that a lock keeps as it is."""
    seen = hashlib.sha256()
    with connection.cursor() as cursor:
        for model in (Activity, Figure, Host, Evidence, Event, Correction, UnitTotal, Placement):
            only = f"WHERE year = {YEAR}" if model is Placement else ""
            cursor.execute(f"SELECT * FROM {model._meta.db_table} {only} ORDER BY {model._meta.pk.column}")
            seen.update(json.dumps(cursor.fetchall(), default=str).encode())
    return seen.hexdigest()


def what_is_wrong(act, world, before, *, passes_by=False):
    """What a verb did although its records are locked; "" when it was refused for that and left all as it was
    (`before`)."""
    words = None
    with transaction.atomic():
        try:
            act(world)
        except ValidationError as refused:
            words = " ".join(refused.messages)
        is_same = digest() == before
        transaction.set_rollback(True)
    if words is None:
        return "" if passes_by and is_same else "was not refused"
    if "đã khoá" not in words:
        return f"was refused for another reason: {words}"
    return "" if is_same else "was refused and changed something"


def unaccounted(verbs):
    return sorted(set(verbs) - ON_RECORDS.keys() - ELSEWHERE.keys())


@pytest.mark.once
def test_a_server_has_words_for_every_verb():
    """Those of the commands, too: the journal shows what they did."""
    code = "import django; django.setup(); import unionwork.urls; from unionwork.verbs import VERBS; print(*VERBS)"
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert set(said.stdout.split()) == {each for each in VERBS if not each.startswith(__name__)}


@pytest.mark.once
def test_every_verb_is_tried_on_a_locked_record_or_has_a_reason():
    verbs = {code for code in VERBS if not code.startswith(__name__)}
    assert (unaccounted(verbs), sorted((ON_RECORDS | ELSEWHERE).keys() - verbs)) == ([], [])
    assert ON_RECORDS.keys() & ELSEWHERE.keys() == set()

    @verb("Lách khoá")
    def planted():
        """Nobody has accounted for this one."""

    try:
        assert unaccounted(VERBS) == [planted.code]
    finally:
        del VERBS[planted.code]


def test_every_verb_on_a_locked_record_is_refused_and_leaves_all_as_it_was(records):
    records.admin = make_user("mover", access.ADMIN, records.tw)
    boss = make_user("boss", access.SECRETARY, records.p1)

    def wrong(**acts):
        passing = PASSES_BY if not WorkYear.objects.get(pk=YEAR).is_open else set()
        before = digest()
        said = {code: what_is_wrong(act, records, before, passes_by=code in passing) for code, act in acts.items()}
        return {code: words for code, words in said.items() if words}

    bypass = lambda w: Activity.objects.filter(pk=w.approved.pk).update(status=Status.CANCELLED)  # noqa: E731

    def half(w):
        bypass(w)
        review.approve(activity=w.pending, actor=w.secretary)

    for lock in (lock_own, lock_superior, lock_year):
        with transaction.atomic():
            lock(records)
            assert wrong(**ON_RECORDS) == {}, lock.__name__
            controls = {"bypass": "was not refused", "half": "was refused and changed something"}
            assert wrong(bypass=bypass, half=half) == controls
            if lock == lock_own:  # once it is unlocked every call does its work: nothing else is wrong with it
                unlock(records.b11, boss, first_day=date(YEAR, 1, 1))
                assert wrong(**ON_RECORDS) == dict.fromkeys(ON_RECORDS, "was not refused")
            transaction.set_rollback(True)
