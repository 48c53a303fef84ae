from datetime import date

import pytest
from django.core.exceptions import ValidationError

from activities.models import Activity
from targets import setting
from targets.models import Indicator, Measure, Target
from targets.setting import Draft, create_target, fingerprint
from targets.years import close_year
from tests.factories import assign, make_indicator, make_target, make_unit
from units.models import User


@pytest.fixture
def trees(world):
    return Draft("total", indicators=[world.trees], value=9000)


def create(world, *drafts, **fields):
    fields = {"year": world.year, "issuer": world.k1, "number": 1, "text": "Trồng cây"} | fields
    return create_target(measures=list(drafts), actor=world.staff, **fields)


def edit_target(**fields):
    return setting.edit_target(actor=User.objects.get(username="staff"), **fields)


def draft_of(measure, **changes):
    names = ("pk", "letter", "kind", "text", "value", "floor", "level", "sector", "deadline", "year_end_only")
    fields = {name: getattr(measure, name) for name in names}
    fields |= {"indicators": list(measure.indicators.all()), "denominators": list(measure.denominators.all())}
    return Draft(**(fields | changes))


def messages(error):
    return error.value.message_dict if hasattr(error.value, "error_dict") else error.value.messages


def test_a_target_is_written_with_its_measures_lettered_in_order(world, trees):
    share = Draft("rate", indicators=[world.members], denominators=[world.members, world.times], value=6650)
    target = create(world, trees, share)
    rows = [(row.letter, row.kind, row.value, list(row.indicators.all())) for row in target.measures.all()]
    assert rows == [("a", "total", 9000, [world.trees]), ("b", "rate", 6650, [world.members])]


def test_the_same_number_twice_is_refused(world, trees):
    create(world, trees)
    with pytest.raises(ValidationError) as error:
        create(world, trees)
    assert messages(error) == {"__all__": ["Đơn vị đã có chỉ tiêu mang số này trong năm."]}
    assert Target.objects.count() == 1


def test_a_closed_year_takes_no_target(world, trees):
    target = create(world, trees)
    close_year(year=2024)
    world.year.refresh_from_db()
    for act in (lambda: create(world, trees, number=2), lambda: edit_target(target=target, measures=[trees])):
        with pytest.raises(ValidationError) as error:
            act()
        assert messages(error) == ["Năm công tác 2024 đã đóng nên không thêm, sửa chỉ tiêu được nữa."]
    assert Target.objects.count() == 1


def test_a_bad_measure_saves_nothing(world, trees):
    with pytest.raises(ValidationError):
        create(world, trees, Draft("total", indicators=[world.times]))
    assert (Target.objects.count(), Measure.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("draft", "fields"),
    [
        ({"kind": "total", "value": 5}, ["indicators"]),
        ({"kind": "total", "indicators": ["cay-xanh"]}, ["value"]),
        ({"kind": "total", "indicators": ["cay-xanh"], "value": 0}, ["value"]),
        ({"kind": "total", "indicators": ["cay-xanh", "duong-lam-moi"], "value": 5}, ["indicators"]),
        ({"kind": "total", "indicators": ["cong-trinh-phan-viec", "cong-trinh-khoi"], "value": 5}, ["indicators"]),
        ({"kind": "total", "indicators": ["cay-xanh"], "value": 5, "floor": 3}, ["floor"]),
        ({"kind": "total", "indicators": ["cay-xanh"], "value": 5, "sector": "Trường học"}, ["sector"]),
        ({"kind": "total", "indicators": ["cay-xanh"], "value": 5, "denominators": ["thanh-nien"]}, ["denominators"]),
        ({"kind": "rate", "indicators": ["doan-vien"], "value": 8000}, ["denominators"]),
        (
            {"kind": "rate", "indicators": ["doan-vien"], "denominators": ["duong-lam-moi"], "value": 1},
            ["denominators"],
        ),
        ({"kind": "rate", "indicators": ["doan-vien"], "denominators": ["doan-vien"], "value": 1}, ["denominators"]),
        ({"kind": "rate", "indicators": ["doan-vien"], "denominators": ["thanh-nien"], "value": 10001}, ["value"]),
        ({"kind": "coverage", "indicators": ["don-vi-mau"], "value": 10000}, ["floor"]),
        ({"kind": "coverage", "indicators": ["don-vi-mau"], "floor": 3}, ["value"]),
        ({"kind": "milestone", "value": 5}, ["value"]),
        ({"kind": "milestone", "indicators": ["cay-xanh"]}, ["indicators"]),
        ({"kind": "milestone", "deadline": date(2025, 1, 1)}, ["deadline"]),
    ],
)
def test_each_kind_says_what_it_needs(world, draft, fields):
    make_indicator("cau-duong", decimals=2)
    for name in ("indicators", "denominators"):
        draft = draft | {name: [Indicator.objects.get(code=code) for code in draft.get(name, [])]}
    with pytest.raises(ValidationError) as error:
        setting.check_measure(Draft(**draft), world.year)
    assert list(messages(error)) == fields


def test_a_measure_given_out_keeps_what_it_counts(world, trees):
    target = create(world, trees, Draft("total", indicators=[world.times], value=10))
    given, free = target.measures.all()
    assign(given, world.b11, 300)
    as_given = draft_of(given, value=9500)
    for changes in ({"kind": "coverage", "value": 10000, "floor": 1}, {"indicators": [world.times]}):
        with pytest.raises(ValidationError) as error:
            edit_target(target=target, measures=[draft_of(given, **changes), draft_of(free)])
        assert messages(error)[0].startswith("Không đổi cách tính, chỉ số, mẫu số của ý a được")
    with pytest.raises(ValidationError) as error:
        edit_target(target=target, measures=[draft_of(free)])
    assert messages(error)[0].startswith("Không bỏ ý a được")
    edit_target(target=target, measures=[as_given])
    assert [(row.pk, row.letter, row.value) for row in target.measures.all()] == [(given.pk, "a", 9500)]


def test_a_milestone_with_a_record_stays(world):
    target = make_target(world.k1, 2024, [{"kind": "milestone"}, {"kind": "milestone"}])
    done, other = target.measures.all()
    Activity.objects.create(
        unit=world.b11,
        kind=world.planting,
        title="Đại hội",
        first_day=date(2024, 3, 1),
        last_day=date(2024, 3, 1),
        year=world.year,
        month=3,
        author=world.cadre,
        milestone=done,
    )
    with pytest.raises(ValidationError):
        edit_target(target=target, measures=[draft_of(other)])
    edit_target(target=target, measures=[draft_of(done)])
    assert list(target.measures.all()) == [done]


def test_a_new_measure_takes_the_next_free_letter(world, trees):
    target = create(world, trees, Draft("milestone"), Draft("milestone"))
    first, _, third = target.measures.all()
    edit_target(target=target, measures=[draft_of(first), draft_of(third), Draft("milestone", text="Mới")])
    assert [(row.letter, row.text) for row in target.measures.all()] == [("a", ""), ("b", "Mới"), ("c", "")]


def test_a_stale_form_is_refused(world, trees):
    target = create(world, trees)
    seen = fingerprint(target)
    kept = [draft_of(target.measures.get(), value=1)]
    edit_target(target=target, measures=kept, seen=seen, text="Bản của người khác")
    with pytest.raises(setting.Stale):
        edit_target(target=target, measures=kept, seen=seen, text="Bản của tôi")
    target.refresh_from_db()
    assert target.text == "Bản của người khác"


@pytest.mark.parametrize(
    "change",
    [{"value": 1}, {"deadline": date(2024, 5, 1)}, {"text": "x"}, {"sector": ""}, {"indicators": "other"}],
)
def test_the_fingerprint_changes_with_what_an_edit_changes(world, trees, change):
    target = create(world, trees)
    before = fingerprint(target)
    change = {name: [world.times] if value == "other" else value for name, value in change.items()}
    edit_target(target=target, measures=[draft_of(target.measures.get(), **change)])
    assert (fingerprint(target) == before) == (change == {"sector": ""})


def test_a_target_answers_one_of_a_superior_in_the_same_year(world, trees):
    above = make_target(world.p1, 2024, [{"kind": "milestone"}])
    assert create(world, trees, answers=above).answers == above
    for wrong in (make_target(world.p2, 2024, []), make_target(world.b11, 2024, []), make_target(world.k1, 2024, [])):
        with pytest.raises(ValidationError) as error:
            create(world, trees, number=9, answers=wrong)
        assert messages(error) == {"answers": ["Chọn một chỉ tiêu của cấp trên trong cùng năm."]}


def test_a_sector_takes_the_spelling_the_units_have(world):
    make_unit("truong", parent=world.k1, sector="Trường học")
    make_indicator("thu-co-mat")
    draft = Draft("coverage", indicators=[world.trees], floor=1, value=10000, sector="trường  Học")
    assert create(world, draft).measures.get().sector == "Trường học"
