"""What the verbs about targets leave in the journal, and who reads it in the history of a target."""

import re
from datetime import date

import pytest
from django.urls import reverse

from targets import assignment, catalogue, copying, giving, replies, setting
from targets.models import Measure, Period, Target
from targets.setting import Draft
from tests.factories import make_target, make_year
from units import histories, journal
from units.models import JournalEntry

DAYS = ("first_day", "last_day", "due")


def left(before):
    """The journal's entries after the key `before`: verb, type, unit, year, label, changes, reason, actor."""
    rows = JournalEntry.objects.filter(pk__gt=before).order_by("pk").select_related("unit", "actor")
    return [
        (
            entry.verb_in_words,
            entry.object_type.removeprefix("targets."),
            entry.unit and entry.unit.code,
            entry.label,
            [f"{what}: {old} → {new}" for what, old, new in entry.changes],
            entry.reason,
        )
        for entry in rows
    ]


def last():
    return JournalEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


@pytest.fixture
def trees(world):
    return Draft("total", indicators=[world.trees], value=900)


def test_writing_a_target_is_told_in_words_and_what_changes_nothing_is_not(world, trees):
    before, staff, text = last(), world.staff, "Trồng cây"
    fields = {"year": world.year, "issuer": world.k1, "number": 3, "group": "movement", "actor": staff}
    target = setting.create_target(**fields, text=text, measures=[trees])
    measure = target.measures.get()

    def edit(**fields):
        now = Target.objects.with_measures().get(pk=target.pk)
        setting.edit_target(
            target=now, measures=[setting.draft_of(one) for one in now.measures.all()], actor=staff, **fields
        )

    edit(text=text)
    edit(text="Trồng cây  đầu xuân", note="")
    Target.objects.filter(pk=target.pk).update(issued_on=date(2024, 1, 2))
    more = setting.draft_of(Measure.objects.prefetch_related("indicators", "denominators").get(pk=measure.pk))
    more.value = 1000
    setting.edit_target(target=target, measures=[more], actor=staff, reason="Tỉnh giao thêm")
    Target.objects.filter(pk=target.pk).update(issued_on=None)
    gone = make_target(world.k1, 2024, [{"kind": "milestone"}], number=9, text="Đại hội", issued_on=None)
    setting.delete_target(target=gone, actor=staff)
    name, asked = "Chỉ tiêu 3 năm 2024: Trồng cây", "Tổng; Chỉ số thu-cay-xanh; 900 cây"
    first = ["Số:  → 3", "Nội dung:  → Trồng cây", "Nhóm:  → Phong trào hành động cách mạng", "Đạt khi đạt:  → Tất cả"]
    assert left(before) == [
        ("Thêm chỉ tiêu", "target", "k1", name, [*first, f"Ý a:  → {asked}"], ""),
        ("Sửa chỉ tiêu", "target", "k1", f"{name} đầu xuân", ["Nội dung: Trồng cây → Trồng cây đầu xuân"], ""),
        (
            "Sửa chỉ tiêu",
            "target",
            "k1",
            f"{name} đầu xuân",
            [f"Ý a: {asked} → {asked.replace('900', '1.000')}"],
            "Tỉnh giao thêm",
        ),
        (
            "Xoá chỉ tiêu",
            "target",
            "k1",
            "Chỉ tiêu 9 năm 2024: Đại hội",
            [
                "Số: 9 → ",
                "Nội dung: Đại hội → ",
                "Đạt khi đạt: Tất cả → ",
                "Ý a: Mốc; hoàn thành trong năm; cấp cơ sở → ",
            ],
            "",
        ),
    ]
    entries = JournalEntry.objects.filter(pk__gt=before)
    assert {(entry.actor, entry.year) for entry in entries} == {(staff, 2024)}
    assert entries.get(verb="targets.setting.delete_target").object_id is not None
    assert journal.verify().wrong == []


@pytest.fixture
def issued(world, trees):
    """Drafted, edited, then issued with numbers for two units; b11 registers, is given another number, and answers."""
    fields = {"year": world.year, "issuer": world.k1, "number": 3, "text": "Bản nháp đầu", "actor": world.staff}
    target = setting.create_target(**fields, measures=[trees])
    kept = [setting.draft_of(one) for one in Target.objects.with_measures().get(pk=target.pk).measures.all()]
    setting.edit_target(target=target, measures=kept, actor=world.staff, text="Trồng cây")
    measure = target.measures.select_related("target__year").get()
    world.before = last()
    wishes = [giving.Wish(world.b11, 300, None), giving.Wish(world.b12, 0, None, "vùng sâu")]
    giving.save_draft(measure=measure, giver=world.k1, wishes=wishes, actor=world.staff)
    giving.discard(measure=measure, giver=world.k1, actor=world.staff)
    assert last() == world.before  # a draft is no change of what is in force
    giving.save_draft(measure=measure, giver=world.k1, wishes=wishes, actor=world.staff)
    day = date(2024, 2, 1)
    common = {"giver": world.k1, "year": world.year, "targets": [], "actor": world.staff, "day": day}
    giving.issue(measures=[measure], number="05-QĐ", reason="Đầu năm", **common)
    assignment.register(measure=measure, unit=world.b11, registered=350, actor=world.cadre)
    assignment.register(measure=measure, unit=world.b11, registered=350, actor=world.cadre)
    row = assignment.Row(world.b11, planned=320)
    assignment.assign(measure=measure, rows=[row], actor=world.staff, reason="Theo đăng ký")
    for _ in range(2):
        replies.reply(measure=measure, unit=world.b11, version=3, accepted=True, actor=world.cadre)
    return target


def test_issuing_giving_registering_and_answering_are_told_to_the_units_concerned(world, issued):
    decision, given = "Quyết định 05-QĐ ngày 01/02/2024", "Chỉ tiêu 3a năm 2024 → Đơn vị"
    words = ["Số quyết định:  → 05-QĐ", "Ngày quyết định:  → 01/02/2024"]
    assert left(world.before) == [
        ("Ban hành chỉ tiêu", "decision", "k1", decision, ["Chỉ tiêu được ban hành:  → 3"], "Đầu năm"),
        (
            "Ban hành chỉ tiêu",
            "target",
            "k1",
            "Chỉ tiêu 3 năm 2024: Trồng cây",
            [f"Tình trạng: bản nháp → {decision}"],
            "Đầu năm",
        ),
        ("Giao chỉ tiêu", "assignment", "b11", f"{given} b11", ["Giao:  → 300 cây", *words], "Đầu năm"),
        (
            "Giao chỉ tiêu",
            "assignment",
            "b12",
            f"{given} b12",
            ["Giao:  → 0 cây", *words, "Ghi chú:  → vùng sâu"],
            "Đầu năm",
        ),
        ("Đăng ký chỉ tiêu", "assignment", "b11", f"{given} b11", ["Đăng ký:  → 350 cây"], ""),
        ("Giao chỉ tiêu", "assignment", "b11", f"{given} b11", ["Giao: 300 cây → 320 cây"], "Theo đăng ký"),
        (
            "Trả lời chỉ tiêu được giao",
            "reply",
            "b11",
            "Chỉ tiêu 3a năm 2024: Đơn vị b11",
            ["Trả lời:  → tiếp nhận"],
            "",
        ),
    ]
    assert journal.verify().wrong == []


def test_the_history_of_a_target_shows_a_unit_below_what_reached_it_and_nothing_of_its_neighbour(client, world, issued):
    def read(user, slug="chi-tieu", key=issued.pk):
        client.force_login(user)
        response = client.get(reverse("history", args=[slug, key]))
        page = response.content.decode().split("<ol class")[-1]
        return (
            response.status_code,
            re.findall(r"<strong>([^<]+)</strong>", page),
            re.findall(r"b1[12]|nháp đầu|vùng sâu", page),
        )

    below = ["Trả lời chỉ tiêu được giao", "Giao chỉ tiêu", "Đăng ký chỉ tiêu", "Giao chỉ tiêu", "Ban hành chỉ tiêu"]
    assert read(world.cadre) == (200, below, ["b11"] * 4)
    assert read(world.other_cadre) == (200, ["Giao chỉ tiêu", "Ban hành chỉ tiêu"], ["b12", "vùng sâu"])
    _, verbs, told = read(world.staff)
    assert (verbs[-2:], sorted(set(told))) == (
        ["Sửa chỉ tiêu", "Thêm chỉ tiêu"],
        ["b11", "b12", "nháp đầu", "vùng sâu"],
    )
    assert read(world.stranger)[0] == 404
    mine = issued.measures.get().assignments.get(unit=world.b11)
    assert (read(world.cadre, "so-giao", mine.pk)[0], read(world.other_cadre, "so-giao", mine.pk)[0]) == (200, 404)
    types = set(JournalEntry.objects.values_list("object_type", flat=True).distinct()) - {"targets.reply"}
    assert all(histories.slug_of(each) for each in types), types


def test_the_history_of_a_period_counts_no_units_that_were_reminded(client, world):
    period = Period.objects.create(
        year=world.year, kind="campaign", number=9, name="Đợt", issuer=world.tw, **dict.fromkeys(DAYS, date(2024, 3, 1))
    )
    for verb, label in (("targets.periods.add_campaign", "Đợt"), ("activities.reminders.nudge", "Đợt: 87 đơn vị")):
        journal.write([journal.Note(verb, period, None, label=label)])
    client.force_login(world.cadre)
    page = client.get(reverse("history", args=["ky-bao-cao", period.pk])).content.decode()
    assert re.findall(r"<strong>([^<]+)</strong>|(87)", page.split("<ol class")[-1]) == [("Đặt đợt báo cáo", "")]
    standard = Period.objects.standard().filter(year=world.year).first()
    journal.write([journal.Note("targets.periods.set_period", standard, world.central, label="Tháng 1: hạn mới")])
    assert "Tháng 1: hạn mới" in client.get(reverse("history", args=["nam", world.year.pk])).content.decode()


def test_copied_targets_and_the_catalogue_are_told_too(world, trees):
    make_target(world.k1, 2024, [{"kind": "milestone"}], number=2, text="Đại hội")
    year, before = make_year(2025), last()
    before = last()
    old = Target.objects.get(issuer=world.k1, year=2024)
    copying.copy_targets(issuer=world.k1, year=year, values={old.pk: {old.measures.get().pk: None}}, actor=world.staff)
    world.trees.name = "Cây xanh mới"
    for _ in range(2):
        catalogue.save_indicator(indicator=world.trees, actor=world.central)
    copied, named = left(before)
    assert copied[:4] == ("Chép chỉ tiêu năm trước", "target", "k1", "Chỉ tiêu 2 năm 2025: Đại hội")
    changes = ["Tên: Chỉ số thu-cay-xanh → Cây xanh mới"]
    assert named == ("Sửa danh mục chỉ số", "indicator", None, "Cây xanh mới", changes, "")
