"""A co-host answers on a phone, and the lead sees it."""

import pytest
from django.urls import reverse

from activities import review
from tests.browser.checks import check_page
from tests.factories import World, make_activity


@pytest.fixture
def joint(transactional_db):
    """The small organisation; b11 planted trees together with b12, and sent it."""
    world = World()
    world.joint = make_activity(
        world.b11, world.cadre, world.planting, {world.trees: 35}, title="Trồng cây đầu xuân", hosts=[world.b12]
    )
    review.submit(activity=world.joint, actor=world.cadre)
    return world


def test_a_co_host_declines_with_a_reason_and_the_lead_sees_it(joint, phone, login):
    login(phone, joint.other_cadre)
    phone.goto("/hoat-dong/?nam=2024")
    phone.get_by_role("link", name="Chờ đơn vị bạn xác nhận phối hợp (1)").click()
    check_page(phone)
    phone.get_by_role("link", name="Từ chối").click()
    check_page(phone)
    phone.get_by_role("button", name="Từ chối phối hợp").click()
    phone.get_by_role("alert").wait_for()
    phone.get_by_text("Đơn vị không tham gia").click()
    phone.get_by_label("Lý do", exact=False).last.fill("Trùng lịch đại hội")
    phone.get_by_role("button", name="Từ chối phối hợp").click()
    phone.wait_for_url("**/phoi-hop/")
    assert "Không có hoạt động nào chờ xác nhận phối hợp." in phone.locator("main").inner_text()
    check_page(phone)

    login(phone, joint.cadre)
    phone.goto(reverse("activity_detail", args=[joint.joint.pk]))
    check_page(phone)
    said = " ".join(phone.locator("dd", has_text="Đơn vị b12").inner_text().split())
    expected = "Đơn vị b12 Từ chối không tính cho đơn vị này Lý do: Đơn vị không tham gia: Trùng lịch đại hội"
    assert said == expected
