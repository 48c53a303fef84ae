"""Small builders for tests. They use the product's own verbs wherever one exists."""

from copy import deepcopy
from datetime import date
from functools import cache
from itertools import count
from uuid import uuid4

from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction

from activities import recording, review
from activities.models import Activity, ActivityKind, KindFigure
from activities.rules import Entry
from targets import years
from targets.models import Assignment, Group, Indicator, Measure, Nature, Target
from unionwork.numbers import Parsed
from units import access, tree
from units.models import Role, Unit, UnitKind, User

_numbers = count(1)
_built = {}  # {(class, _state()): (attributes, what it stands on, _changes())}
_loaded = {}  # {fixture: _changes()}


@cache
def _models():
    apps_of_ours = ("units", "targets", "activities", "reports")
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in apps_of_ours]


def _table(model):
    return connection.ops.quote_name(model._meta.db_table)


def _columns(model):
    """The quoted names of its columns, the key's first."""
    names = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    return [connection.ops.quote_name(name) for name in (model._meta.pk.column, *names)]


@cache
def _state_query():
    return " UNION ALL ".join(
        f"SELECT {number}, COUNT(*), CAST(MAX({_columns(model)[0]}) AS varchar(99)) FROM {_table(model)}"
        for number, model in enumerate(_models())
    )


def _state():
    """What decides which keys new rows get: how many rows every table has, and its last key."""
    with connection.cursor() as cursor:
        cursor.execute(_state_query())
        return tuple(sorted(cursor.fetchall()))


def _rows():
    """{model: {key: the row as it is stored}}"""
    found = {}
    with connection.cursor() as cursor:
        for model in _models():
            cursor.execute(f"SELECT {', '.join(_columns(model))} FROM {_table(model)}")
            found[model] = {row[0]: row for row in cursor.fetchall()}
    return found


def _changes(build):
    """{model: (keys of rows that went, rows that came)}: what `build()` does to the database."""
    before = _rows()
    build()
    changes = {}
    for model, new in _rows().items():
        old = before[model]
        went = [key for key, row in old.items() if new.get(key) != row]
        came = [row for key, row in new.items() if old.get(key) != row]
        if went or came:
            changes[model] = (went, came)
    return changes


def _repeat(changes):
    with transaction.atomic(), connection.cursor() as cursor:  # keys are checked at its end, so no order matters
        for model, (went, came) in changes.items():
            table, columns = _table(model), _columns(model)
            cursor.executemany(f"DELETE FROM {table} WHERE {columns[0]} = %s", [(key,) for key in went])
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", came)


def build_once(thing, build, *, over=None):
    """Let `build()` fill `thing` and the database, by the product's verbs, once a process and database state. After
    that the same rows are written as they were, because many tests want them. `over`: the World that `thing` stands
    on, as it was when it was built.
    """
    state = (type(thing), _state())
    if state not in _built:
        changes = _changes(build)
        _built[state] = (*deepcopy((thing.__dict__, over)), changes)
        return
    attributes, under, changes = _built[state]
    same = {}  # what it stands on is there already: no copies of that
    if over:
        same = {id(under): over} | {id(value): vars(over).get(name, value) for name, value in vars(under).items()}
    thing.__dict__ = deepcopy(attributes, same)
    _repeat(changes)


def load_once(command, fixture, **options):
    """`loaddata` that reads a fixture once a process, for tests that empty the test database again and again."""
    if fixture in _loaded:
        _repeat(_loaded[fixture])
    else:
        _loaded[fixture] = _changes(lambda: call_command(command, fixture, **options))


def make_year(year=2024):
    return years.open_year(year=year, actor=None)


def make_unit(code, kind="doan-co-so", parent=None, **fields):
    """A unit placed under `parent` in every open year. `kind` is a UnitKind code."""
    unit = Unit.objects.create(
        code=code, name=fields.pop("name", f"Đơn vị {code}"), kind=UnitKind.objects.get(pk=kind), **fields
    )
    tree.place(unit=unit, parent=parent)
    return unit


def make_user(username, role=None, unit=None, **fields):
    """A user, with `role` (a units.access.RoleName) on `unit` when given. Password: mat-khau-thu-nghiem."""
    user = User(username=username, full_name=fields.pop("full_name", f"Người {username}"), **fields)
    user.set_password("mat-khau-thu-nghiem")
    user.save()
    if role:
        grant(user, role, unit)
    return user


def grant(user, role, unit):
    access.forget_grants(user)
    return Role.objects.create(user=user, role=role, unit=unit)


def make_indicator(code, nature=Nature.FLOW, **fields):
    fields = {"name": f"Chỉ số {code}", "unit_of_measure": "cây", "group": Group.MOVEMENT, "position": 900} | fields
    return Indicator.objects.create(code=code, nature=nature, **fields)


def make_kind(code, figures=(), counted=(), nature="flow", **fields):
    """An activity kind asking `figures` and counting `counted` (indicators)."""
    kind = ActivityKind.objects.create(code=code, name=fields.pop("name", f"Loại {code}"), nature=nature, **fields)
    for position, indicator in enumerate([*figures, *counted]):
        KindFigure.objects.create(kind=kind, indicator=indicator, position=position, counted=indicator in counted)
    return kind


def make_target(issuer, year, measures, **fields):
    """`measures`: dicts of Measure fields with `indicators` / `denominators` lists. Issued unless `issued_on=None`."""
    year = getattr(year, "year", year)
    fields = {"number": next(_numbers), "text": "Chỉ tiêu thử", "issued_on": date(year, 1, 1)} | fields
    target = Target.objects.create(issuer=issuer, year_id=year, **fields)
    for letter, measure in zip("abcdef", measures, strict=False):
        measure = dict(measure)
        indicators, denominators = measure.pop("indicators", ()), measure.pop("denominators", ())
        row = Measure.objects.create(target=target, letter=letter, **measure)
        row.indicators.set(indicators)
        row.denominators.set(denominators)
    return target


def assign(measure, unit, planned, registered=None):
    return Assignment.objects.create(measure=measure, unit=unit, planned=planned, registered=registered)


def make_activity(unit, author, kind, figures=None, day=date(2024, 3, 26), hosts=(), **fields):
    """A draft of `unit`. `figures`: {Indicator: int in its smallest unit}."""
    activity = Activity(
        unit=unit,
        kind=kind,
        title=fields.pop("title", "Hoạt động thử"),
        first_day=fields.pop("first_day", day),
        last_day=day,
        **fields,
    )
    parsed = {indicator: Parsed(value, "") for indicator, value in (figures or {}).items()}
    return recording.create(entry=Entry(activity, parsed, list(hosts)), actor=author)


def planting_form(world, **fields):
    """What a browser sends for a tree planting of 35 trees, without the button that was pressed."""
    return {
        "unit": "b11",
        "kind": world.planting.code,
        "form_key": str(uuid4()),
        "first_day": "26/03/2024",
        "last_day": "",
        "title": "Trồng cây đầu xuân",
        "work_level": "",
        "place": "",
        "description": "",
        "sl-thu-cay-xanh": "35",
        "sl-thu-luot": "",
    } | fields


def approve(activity, reviewer):
    """Submit (as its author) and approve."""
    activity.refresh_from_db()
    review.submit(activity=activity, actor=activity.author)
    review.approve(activity=activity, actor=reviewer)
    activity.refresh_from_db()
    return activity


class World:
    """Trung ương → 2 provinces → a khối each → 2 cơ sở each, with people; year 2024.

    Codes: tw, p1, k1, b11, b12, p2, k2, b21, b22.
    """

    def __init__(self):
        build_once(self, self._build)

    def _build(self):
        self.year = make_year(2024)
        make_year(date.today().year)
        self.tw = make_unit("tw", "trung-uong")
        for i in (1, 2):
            province = make_unit(f"p{i}", "tinh-doan", self.tw)
            bloc = make_unit(f"k{i}", "doan-khoi", province)
            setattr(self, f"p{i}", province)
            setattr(self, f"k{i}", bloc)
            for j in (1, 2):
                setattr(self, f"b{i}{j}", make_unit(f"b{i}{j}", "doan-co-so", bloc))
        self.cadre = make_user("cadre", access.CADRE, self.b11)
        self.other_cadre = make_user("other-cadre", access.CADRE, self.b12)
        self.secretary = make_user("secretary", access.SECRETARY, self.k1)
        self.staff = make_user("staff", access.STAFF, self.k1)
        self.stranger = make_user("stranger", access.SECRETARY, self.k2)
        self.viewer = make_user("viewer", access.VIEWER, self.p1)
        self.admin = make_user("admin", access.ADMIN, self.p1)
        self.central = make_user("central", access.STAFF, self.tw)
        self.trees = make_indicator("thu-cay-xanh")
        self.times = make_indicator("thu-luot", unit_of_measure="lượt")
        self.count = make_indicator("thu-so-hoat-dong", unit_of_measure="hoạt động")
        self.members = make_indicator("thu-doan-vien", Nature.STOCK, unit_of_measure="đoàn viên")
        self.planting = make_kind("thu-trong-cay", [self.trees, self.times], [self.count])
        self.declaring = make_kind("thu-ke-khai", [self.members], nature="stock")
