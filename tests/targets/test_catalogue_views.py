from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from targets.models import Indicator, WorkYear
from tests.factories import make_indicator

INDICATORS, YEARS = reverse("indicator_list"), reverse("year_list")


@pytest.fixture
def central(client, world):
    client.force_login(world.central)
    return client


def codes(response):
    return [row.code for row in response.context["table"].data]


def test_indicators_are_found_without_marks_and_by_what_they_are(central):
    assert codes(central.get(INDICATORS, {"q": "CAY xanh", "per_page": 100})) == ["cay-xanh", "thu-cay-xanh"]
    assert codes(central.get(INDICATORS, {"thuoc": "cong-trinh"})) == [
        "cong-trinh-tw",
        "cong-trinh-tinh",
        "cong-trinh-khoi",
        "cong-trinh-co-so",
    ]
    assert codes(central.get(INDICATORS, {"nhom": "international"})) == ["luot-ngoai-ngu"]
    assert codes(central.get(INDICATORS, {"tinh_chat": "stock", "q": "thieu nhi"})) == [
        "thieu-nhi",
        "tiep-can-nang-luc-so",
    ]


def test_an_empty_search_offers_the_way_back(central):
    response = central.get(INDICATORS, {"q": "không có đâu"})
    assert codes(response) == []
    assert "Xoá bộ lọc" in response.content.decode()


def test_the_list_is_paged_and_asks_the_same_for_one_and_three_rows(central):
    assert len(central.get(INDICATORS).context["table"].page) == 25
    assert len(central.get(INDICATORS, {"per_page": "999"}).context["table"].page) == min(
        100, Indicator.objects.count()
    )
    for odd in ("0", "-1", "abc", "9999999"):
        assert central.get(INDICATORS, {"per_page": odd, "page": odd}).status_code == 200

    def asked(query):
        central.get(INDICATORS, {"q": query})
        with CaptureQueriesContext(connection) as captured:
            found = len(codes(central.get(INDICATORS, {"q": query})))
        return found, len(captured)

    make_indicator("dem-mot")
    one = asked("dem-")
    for code in ("dem-hai", "dem-ba"):
        make_indicator(code, part_of=Indicator.objects.get(code="dem-mot"))
    assert (one[0], asked("dem-")) == (1, (3, one[1]))


def typed(**fields):
    return {
        "code": "trong-tre",
        "name": "Tre trồng mới",
        "unit_of_measure": "bụi",
        "nature": "flow",
        "decimals": "0",
        "group": "movement",
        "part_of": "",
        "position": "99",
    } | fields


def test_an_indicator_is_added_and_changed(central):
    assert central.post(reverse("indicator_add"), typed()).status_code == 302
    tre = Indicator.objects.get(code="trong-tre")
    url = reverse("indicator_edit", args=[tre.pk])
    assert central.post(url, typed(name="Tre, trúc trồng mới", decimals="2", code="khac")).status_code == 302
    tre.refresh_from_db()
    assert (tre.name, tre.decimals, tre.code, tre.search) == (
        "Tre, trúc trồng mới",
        2,
        "trong-tre",
        "trong-tre tre, truc trong moi",
    )


def test_a_used_indicator_keeps_what_its_figures_mean(central, world):
    url = reverse("indicator_edit", args=[world.trees.pk])
    data = typed(code="x", nature="stock", decimals="2", part_of=Indicator.objects.get(code="cay-xanh").pk, name="Cây")
    assert central.post(url, data).status_code == 302
    world.trees.refresh_from_db()
    row = world.trees
    assert (row.name, row.code, row.nature, row.decimals, row.part_of) == ("Cây", "thu-cay-xanh", "flow", 0, None)


def test_bad_indicators_are_answered_in_words(central):
    whole = Indicator.objects.get(code="du-no-uy-thac")
    for changes, field in [
        ({"code": "cay-xanh"}, "code"),
        ({"code": "có dấu"}, "code"),
        ({"name": ""}, "name"),
        ({"code": "CAY-XANH"}, "code"),
        ({"code": "cay-xanh-khac", "name": "cây XANH  trồng mới"}, "name"),
        ({"decimals": "7"}, "decimals"),
        ({"part_of": whole.pk}, "part_of"),
    ]:
        response = central.post(reverse("indicator_add"), typed(**changes))
        assert response.status_code == 422
        assert list(response.context["form"].errors) == [field], changes
    assert not Indicator.objects.filter(name="Tre trồng mới").exists()


def test_only_the_central_office_keeps_the_catalogue_and_the_years(client, world):
    pages = [
        reverse("indicator_add"),
        reverse("indicator_edit", args=[world.trees.pk]),
        reverse("year_open"),
        reverse("year_close", args=[2024]),
        reverse("year_reopen", args=[2024]),
    ]
    for user, status in [(world.central, 200), (world.staff, 403), (world.admin, 403), (world.cadre, 403)]:
        client.force_login(user)
        assert [client.get(page, follow=True).status_code for page in pages] == [status] * len(pages), user
        assert [client.get(page).status_code for page in (INDICATORS, YEARS)] == [200, 200]


def test_a_year_is_opened(central):
    data = {"year": "2027", "first_day": "15/12/2026", "last_day": "14/12/2027", "theme": "Chuyển đổi số"}
    if date.today().year == 2026:
        data["first_day"] = ""
        data["last_day"] = ""
    assert central.post(reverse("year_open"), data).status_code == 302
    assert WorkYear.objects.get(pk=2027).theme == "Chuyển đổi số"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"year": "2024"}, "year"),
        ({"year": "hai nghìn"}, "year"),
        ({"year": "3000"}, "year"),
        ({"year": "2023", "last_day": "05/01/2024"}, "last_day"),
        ({"year": "2023", "last_day": "31/12"}, "last_day"),
        ({"year": "2025", "first_day": "01/12/2024", "last_day": "30/11/2025"}, "first_day"),
    ],
)
def test_a_year_that_cannot_be_is_answered_in_words(central, data, field):
    before = WorkYear.objects.count()
    response = central.post(reverse("year_open"), data)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert WorkYear.objects.count() == before
