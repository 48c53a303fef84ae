from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reports.target_checks import Kind, checks_for
from targets import assignment, replies
from targets.models import DraftAssignment
from targets.years import close_year
from tests.factories import approve, assign, make_activity, make_indicator, make_target, make_unit


def said(world, unit=None):
    return [(check.kind, check.sentence) for check in checks_for(unit or world.k1, world.year, world.staff)]


def total(world, issuer, value, **fields):
    measure = {"kind": "total", "value": value, "indicators": [world.trees]}
    return make_target(issuer, 2024, [measure], **fields).measures.get()


def test_a_unit_without_faults_has_nothing_to_mend(client, world):
    given = total(world, world.k1, 700, number=1)
    assign(given, world.b11, 0)
    assign(given, world.b12, 900)
    make_target(world.p2, 2024, [{"kind": "rate", "value": 100}], issued_on=None)  # somebody else's
    make_target(world.k1, 2024, [{"kind": "milestone", "deadline": date(2024, 12, 31)}], number=2)
    assert said(world) == []
    client.force_login(world.staff)
    assert "Không có gì cần sửa." in client.get(reverse("target_checks"), {"nam": 2024}).content.decode()


def test_each_fault_is_a_sentence_with_its_number_and_the_place_to_mend_it(client, world):
    young = make_indicator("thu-thanh-nien", "stock", name="Thanh niên", unit_of_measure="người")
    rate = {"kind": "rate", "value": 8_000, "indicators": [world.times], "denominators": [young]}
    above = make_target(world.tw, 2024, [rate], number=3).measures.get()
    written = [
        {"kind": "total", "value": 5, "deadline": date(2025, 1, 5)},
        {"kind": "rate", "value": 5_000, "indicators": [world.times]},
    ]
    unwritten = make_target(world.k1, 2024, written, number=4, issued_on=None)
    nobody, some = total(world, world.k1, 700, number=5), total(world, world.tw, 9_000, number=6)
    assign(some, world.k1, 1_000)
    assignment.assign(measure=some, rows=[assignment.Row(world.b11, planned=300)], actor=world.staff)
    DraftAssignment.objects.create(measure=some, giver=world.k1, unit=world.b11, planned=400, actor=world.staff)
    replies.reply(measure=some, unit=world.b11, version=1, accepted=False, actor=world.cadre, remark="Nhiều quá")
    replies.reply(measure=above, unit=world.b12, version=0, accepted=True, actor=world.other_cadre)
    assert said(world) == [
        (Kind.NO_INDICATOR, "Chỉ tiêu 4a: chưa chọn chỉ số nào để tính."),
        (Kind.NO_INDICATOR, "Chỉ tiêu 4b: tỷ lệ chưa có chỉ số ở mẫu số."),
        (
            Kind.NO_DENOMINATOR,
            "Chỉ tiêu 3 của Đơn vị tw: năm 2024 chưa có số liệu nào được duyệt về “Thanh niên” "
            "nên chưa tính được tỷ lệ.",
        ),
        (Kind.DEADLINE, "Chỉ tiêu 4a: hạn 05/01/2025 nằm ngoài năm công tác (01/01/2024 đến 31/12/2024)."),
        (Kind.NOT_GIVEN, "Chỉ tiêu 6 của Đơn vị tw: 1/2 đơn vị trực thuộc chưa có số: Đơn vị b12."),
        (Kind.NOT_GIVEN, "Chỉ tiêu 4a: 5 chưa chia cho đơn vị nào trong 2 đơn vị trực thuộc."),
        (Kind.NOT_GIVEN, "Chỉ tiêu 5: 700 cây chưa chia cho đơn vị nào trong 2 đơn vị trực thuộc."),
        (Kind.UNDER_GIVEN, "Chỉ tiêu 6 của Đơn vị tw: mới giao 400 cây trên 1.000 cây, còn 600 cây."),
        (Kind.REMARK, "Chỉ tiêu 6 của Đơn vị tw: Đơn vị b11 chưa tiếp nhận, ý kiến: “Nhiều quá”"),
        (Kind.NOT_ISSUED, "Chỉ tiêu 4 chưa ban hành nên cấp dưới chưa thấy."),
        (Kind.WAITING, "Chỉ tiêu 6 của Đơn vị tw: bản nháp có 1 số chưa ban hành."),
    ]
    client.force_login(world.staff)
    response = client.get(reverse("target_checks"), {"nam": 2024})
    checks = [check for _, rows in response.context["groups"] for check in rows]
    assert response.context["count"] == len(checks) == 11
    for url in {check.url for check in checks}:
        assert client.get(url).status_code == 200, url

    # Mended, or no longer asked: nothing is left of what these said.
    approve(make_activity(world.b11, world.cadre, world.declaring, {young: 50}), world.secretary)
    assignment.register(measure=some, unit=world.b11, registered=250, actor=world.cadre)  # the remark still stands
    assert Kind.REMARK in dict(said(world))
    row = assignment.Row(world.b11, planned=350)
    assignment.assign(measure=some, rows=[row], actor=world.staff, reason="Giảm")  # a new number asks again
    make_target(world.k1, 2024, [{"kind": "total", "value": 1}], answers=nobody.target, number=7)
    unwritten.delete()
    kinds = [kind for kind, sentence in said(world) if "Chỉ tiêu 7" not in sentence]
    assert kinds == [Kind.NOT_GIVEN, Kind.UNDER_GIVEN, Kind.WAITING]


def test_who_sets_targets_sees_the_checks_of_the_own_subtree(client, world):
    url = reverse("target_checks")
    for user, query, status in (
        (world.staff, {}, 200),
        (world.central, {"don-vi": "k2"}, 200),
        (world.staff, {"don-vi": "k2"}, 404),
        (world.viewer, {}, 403),
        (world.cadre, {}, 403),
    ):
        client.force_login(user)
        assert client.get(url, query).status_code == status, (user, query)
    total(world, world.k1, 700)
    close_year(year=2024)
    client.force_login(world.staff)
    assert client.get(url, {"nam": 2024}).context["count"] == 0


@pytest.mark.parametrize("targets", [1, 3])
def test_statements_do_not_grow_with_the_children(world, targets):
    def count():
        with CaptureQueriesContext(connection) as queries:
            checks_for(world.k1, world.year, world.staff)
        return len(queries)

    for _ in range(targets):
        total(world, world.k1, 700)
    _, before = count(), count()  # the first one reads who the user is
    for n in range(28):
        unit = make_unit(f"them{n}", parent=world.k1)
        assign(total(world, world.k1, 3), unit, 5)
    assert count() == before <= 18
