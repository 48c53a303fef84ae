"""The first page of a cadre on a phone: taps to go on with a draft, to say “không phát sinh”, to do it again."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from activities import review
from activities.joint import hosting
from activities.models import Activity, ActivityKind, PeriodReport, Status
from targets.models import Indicator, Period, WorkYear
from tests.browser.checks import check_page
from tests.browser.test_logging import PHOTO_TAPS, photo
from tests.factories import World, make_activity, make_user, make_year
from units import access


class Taps:
    """tap(place): touches it, and counts."""

    count = 0

    def __call__(self, place):
        self.count += 1
        place.tap()


@pytest.fixture
def busy(transactional_db):
    """The small organisation; b11 sent and drafted trees, got one record back, and is asked to confirm another's."""
    today = timezone.localdate()
    make_year(today.year - 1)
    world, trees = World(), Indicator.objects.get(code="cay-xanh")
    kind, before = ActivityKind.objects.get(code="trong-cay"), today - timedelta(days=40)
    last = make_activity(world.b11, world.cadre, kind, {trees: 35}, before, title="Trồng cây đầu xuân")
    review.submit(activity=last, actor=world.cadre)
    back = make_activity(world.b11, world.cadre, kind, {trees: 12}, before, title="Hàng cây thanh niên")
    review.submit(activity=back, actor=world.cadre)
    review.return_to_author(activity=back, actor=world.secretary, reason="Sai ngày: xem lại ngày trồng")
    make_activity(world.b11, world.cadre, kind, {trees: 3}, before, title="Bản nháp đã lưu")
    joint = make_activity(world.b12, world.other_cadre, kind, {trees: 9}, before, hosts=[world.b11])
    review.submit(activity=joint, actor=world.other_cadre)
    assert hosting.waiting_for(world.cadre).count() == 1
    return world


def test_going_on_takes_one_tap_and_a_month_without_activity_two(busy, phone, login):
    login(phone, make_user("cadre-21", access.CADRE, busy.b21))
    phone.goto("/hoat-dong/ghi/?loai=trong-cay")
    phone.get_by_label("Cây xanh trồng mới").fill("77")
    phone.get_by_label("Tên", exact=True).fill("Đang nhập dở")
    with phone.expect_response("**/hoat-dong/ban-nhap/"):
        phone.evaluate("document.dispatchEvent(new Event('visibilitychange')); dispatchEvent(new Event('online'))")
    phone.goto("/")
    check_page(phone)
    tap = Taps()
    tap(phone.get_by_role("link", name="Tiếp tục: Đang nhập dở"))
    phone.wait_for_url(re.compile(r"\?ban-nhap="))
    assert phone.get_by_label("Cây xanh trồng mới").input_value() == "77"
    assert phone.get_by_label("Tên", exact=True).input_value() == "Đang nhập dở"
    assert tap.count == 1

    phone.goto("/")
    phone.get_by_role("button", name="Bỏ: Đang nhập dở").tap()
    phone.get_by_text("Đã bỏ bản đang nhập.").wait_for()
    phone.wait_for_load_state("networkidle")
    assert phone.get_by_text("Đang nhập dở").count() == 0  # neither on the server nor on this phone

    year = WorkYear.objects.get(pk=timezone.localdate().year)
    month = Period.objects.standard().get(year=year, kind="month", number=timezone.localdate().month)
    tap = Taps()
    tap(phone.get_by_role("link", name=f"{month.name} không phát sinh", exact=True))
    phone.wait_for_url("**/bao-cao-ky/bao/*")
    check_page(phone)
    tap(phone.get_by_role("button", name="Xác nhận"))
    phone.get_by_text(f"Đã báo: {month.name} không phát sinh.").wait_for()
    assert list(PeriodReport.objects.values_list("unit", "period", "nothing")) == [(busy.b21.pk, month.pk, True)]
    assert tap.count == 2
    check_page(phone, contrast=False)
    phone.get_by_role("button", name=f"Rút lại báo cáo {month.name.lower()}").tap()
    phone.get_by_text(f"Đã rút lại báo cáo {month.name.lower()}.").wait_for()
    assert PeriodReport.objects.given().count() == 0


def test_a_full_home_is_laid_out_and_doing_it_again_takes_seven_taps(busy, phone, login):
    login(phone, busy.cadre)
    phone.goto("/")
    check_page(phone)
    tap = Taps()
    tap(phone.get_by_role("link", name="Trồng cây đầu xuân", exact=True))
    phone.get_by_label("Cây xanh trồng mới").wait_for()
    assert phone.get_by_label("Cây xanh trồng mới").input_value() == ""
    tap(phone.get_by_label("Cây xanh trồng mới"))
    phone.keyboard.type("40")
    tap.count += PHOTO_TAPS
    phone.get_by_label("Chụp ảnh").set_input_files(photo())
    phone.get_by_role("link", name=re.compile("anh.jpg")).wait_for()
    tap(phone.get_by_role("button", name="Gửi duyệt"))
    phone.wait_for_url(re.compile(r"/hoat-dong/\d+/$"))
    again = Activity.objects.latest("pk")
    assert (again.title, again.status, again.evidence.count()) == ("Trồng cây đầu xuân", Status.PENDING, 1)
    assert [row.value for row in again.figures.filter(indicator__code="cay-xanh")] == [40]
    assert tap.count <= 7
