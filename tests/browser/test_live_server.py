"""The ground the journeys stand on: the served product and the test write one database, each by its own connection."""

from django.http import JsonResponse
from django.urls import path

from tests.factories import make_user
from unionwork.policy import ANY_USER, policy
from units.models import Unit, UnitKind


@policy(ANY_USER, relation="none", methods="GET")
def add_unit(request, number):
    kind = UnitKind.objects.get(pk="chi-doan")
    Unit.objects.create(code=f"do-{number}", name="Đơn vị thử", kind=kind, former_names=request.user.username)
    return JsonResponse({"units": Unit.objects.filter(code="bởi phép thử").count()})


urlpatterns = [path("them/<int:number>/", add_unit)]


def test_requests_at_once_and_the_test_itself_all_write(laptop, login, settings):
    settings.ROOT_URLCONF = __name__
    login(laptop, make_user("thu"))
    Unit.objects.create(code="bởi phép thử", name="Đơn vị thử", kind=UnitKind.objects.get(pk="chi-doan"))
    laptop.goto("/them/0/")
    answers = laptop.evaluate(
        "() => Promise.all([1, 2, 3, 4, 5, 6].map((n) => fetch(`/them/${n}/`).then((r) => r.json())))"
    )
    assert answers == [{"units": 1}] * 6
    rows = Unit.objects.filter(code__startswith="do-").order_by("code").values_list("code", "former_names")
    assert list(rows) == [(f"do-{number}", "thu") for number in range(7)]


def test_the_next_test_finds_first_content_and_nothing_else(laptop, db):
    assert Unit.objects.count() == 0
    assert UnitKind.objects.filter(pk="chi-doan").count() == 1
