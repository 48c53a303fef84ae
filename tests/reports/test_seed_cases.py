"""Every figure of the source documents, read back through `manage.py report … .json` after the demo was loaded."""

import json
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

from activities.audit import audit
from activities.moves.moving import move_unit
from reports import demo
from targets.models import Measure, WorkYear
from units.models import Cluster, Placement, Unit, User

CASES = yaml.safe_load((Path(__file__).parent / "seed_cases.yaml").read_text(encoding="utf-8"))
FIGURES = [(case, figure) for case in CASES for figure in case.get("figures", ())]


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """The demo, loaded once for this module and taken away again."""
    from django.db import transaction

    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        demo.load(lambda what, rows: None)
        yield
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


@pytest.fixture
def report(loaded, db, tmp_path):
    def read(case):
        path = tmp_path / "report.json"
        call_command("report", unit=case["unit"], year=case["year"], to=str(path), stdout=StringIO())
        return json.loads(path.read_text(encoding="utf-8"))

    return read


def differences():
    return [row for year in WorkYear.objects.values_list("year", flat=True) for row in audit(year).differences]


@pytest.mark.parametrize(("case", "figure"), FIGURES, ids=[f"{c['case']}: {f['text']}" for c, f in FIGURES])
def test_a_figure_of_the_documents_is_what_the_records_add_up_to(report, case, figure):
    found = report(case)
    if "measure" in figure:
        rows = [
            m for t in found["targets"] for m in t["measures"] if f"{t['number']}{m['letter']}" == figure["measure"]
        ]
        assert [(row["kind"], row["actual"]) for row in rows] == [(figure["kind"], figure["value"])]
        return
    row = next(row for row in found["indicators"] if row["code"] == figure["indicator"])
    assert (row["by_level"][figure["level"]] if "level" in figure else row["total"]) == figure["value"]


@pytest.mark.parametrize("case", [case for case in CASES if "summary" in case], ids=lambda case: case["case"])
def test_the_summary_is_worded_as_the_documents_word_it(report, case):
    summary = report(case)["summary"]
    sentences = (summary.pop("sentence"), summary.pop("sentence_short"))
    assert (sentences, summary) == ((case["sentence"], case["sentence_short"]), case["summary"])


@pytest.mark.parametrize("case", [case for case in CASES if "issued" in case], ids=lambda case: case["case"])
def test_the_targets_of_a_unit_hold_every_kind(report, case):
    rows = [row for row in report(case)["targets"] if row["issuer"] == case["unit"]]
    assert [[[m["kind"], m["planned"]] for m in row["measures"]] for row in rows] == case["issued"]


def test_the_centre_has_12_targets_with_19_measures(report):
    found = report({"unit": "TW", "year": 2024})
    assert (len(found["targets"]), sum(len(row["measures"]) for row in found["targets"])) == (12, 19)


def test_floors_and_sectors_of_the_khoi_are_data(loaded, db):
    case = next(case for case in CASES if "floors" in case)
    measures = Measure.objects.filter(target__issuer__code=case["unit"], target__year=case["year"])
    ordered = measures.order_by("target__number", "letter")
    assert list(ordered.exclude(floor=None).values_list("floor", flat=True)) == case["floors"]
    assert list(ordered.exclude(sector="").values_list("sector", flat=True)) == case["sectors"]


def test_stated_parts_that_do_not_add_up_are_shown_with_what_is_counted(report):
    case = next(case for case in CASES if "warning" in case)
    found = report(case)
    assert Placement.objects.filter(year=case["year"], parent__code=case["unit"], level="base").count() == case["bases"]
    warning = next(text for text in found["warnings"] if case["warning"] in text)
    assert str(case["bases"]) in warning


def test_joint_activities_of_the_demo_were_counted_once(report):
    found = report({"unit": "DK-A", "year": 2023})
    row = next(row for row in found["indicators"] if row["code"] == "suat-qua-ket-nghia")
    assert row["total"] == 10_000
    assert row["overlap"] > 0
    assert sum(child["indicators"].get(row["code"], 0) for child in found["children"]) == row["total"] + row["overlap"]


def test_the_cum_gathers_its_three_units(loaded, db):
    members = Cluster.objects.get(year=2023).members.order_by("code")
    assert list(members.values_list("code", flat=True)) == ["CA-D", "DK-D", "THAN-D"]


def test_stored_totals_agree_with_the_records_after_the_demo_and_after_a_move(loaded, db):
    assert differences() == []
    unit, parent = Unit.objects.get(code="HD-C1"), Unit.objects.get(code="TINH-A")
    move_unit(unit=unit, parent=parent, year=2022, actor=User.objects.get(username="he-thong"), reason="thử chuyển")
    assert differences() == []
