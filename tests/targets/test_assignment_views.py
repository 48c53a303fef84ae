import pytest
from django.urls import reverse

from targets.models import Assignment
from tests.factories import make_target


@pytest.fixture
def staff(client, world):
    client.force_login(world.staff)
    return client


@pytest.fixture
def total(world):
    return make_target(world.k1, 2024, [{"kind": "total", "value": 700, "indicators": [world.trees]}]).measures.get()


def address(measure, unit=None):
    return reverse("measure_register", args=[measure.pk]) + (f"?don-vi={unit.code}" if unit else "")


@pytest.mark.parametrize("page", ["measure_assign", "measure_register", "draft_discard"])
def test_a_number_no_measure_can_have_is_not_found(staff, page):
    assert [staff.get(reverse(page, args=[pk])).status_code for pk in (10**9, 10**25)] == [404, 404]


def test_a_unit_registers_its_own_number(staff, world):
    above = make_target(world.p1, 2024, [{"kind": "total", "value": 9, "indicators": [world.trees]}]).measures.get()
    url = address(above)
    assert staff.get(url).status_code == 200
    assert staff.post(url, {"registered": "1,2 nghìn", "version": "0", "reason": ""}).status_code == 302
    assert list(Assignment.objects.values_list("unit__code", "planned", "registered")) == [("k1", None, 1200)]
    stale = staff.post(url, {"registered": "5", "version": "0", "reason": ""})
    assert stale.status_code == 422
    assert Assignment.objects.get().registered == 1200


def test_who_may_register_for_what(client, world, total):
    for user, unit, status in [
        (world.staff, world.b11, 200),
        (world.staff, world.k1, 404),
        (world.cadre, world.b11, 403),
        (world.stranger, None, 404),
    ]:
        client.force_login(user)
        assert client.get(address(total, unit)).status_code == status, (user, unit)
