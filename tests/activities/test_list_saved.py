"""Lists under a name: an address each, shared within a unit, and never more than the reader may see."""

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from activities.lists import saved_filters
from activities.models import SavedFilter
from tests.factories import make_activity, make_user
from units import access, journal
from units.models import JournalEntry

ADD, LIST = reverse("saved_filter_add"), reverse("activity_list")


def at(name, saved):
    return reverse(name, args=[saved.pk])


def offered(client):
    return [row.name for row in client.get(LIST, {"nam": 2024}).context["saved"]]


def shown(response):
    return [row.record.title for row in response.context["table"].page.object_list]


@pytest.fixture
def khoi(world):
    """Records of two khối, both planting; a second person of each unit involved."""
    make_activity(world.b11, world.cadre, world.planting, {world.trees: 1}, title="Của b11")
    make_activity(world.b12, world.other_cadre, world.planting, {world.trees: 1}, title="Của b12")
    make_activity(world.b21, world.stranger, world.planting, {world.trees: 1}, title="Mật của b21")
    world.colleague = make_user("dong-nghiep", access.CADRE, world.b11)
    return world


def test_a_list_is_saved_opened_renamed_and_removed(client, khoi):
    client.force_login(khoi.secretary)
    query = "nam=2024&loai=thu-trong-cay&trang-thai=draft&trang-thai=pending&cot=ten&cot=ngay&xep=don-vi"
    page = client.get(f"{ADD}?{query}&page=3&la=1&q=")
    assert "Trạng thái: <strong>Nháp</strong>; Trạng thái: <strong>Chờ duyệt</strong>" in page.content.decode()
    back = client.post(f"{ADD}?{query}&page=3&la=1&q=", {"name": "  Chờ và nháp ", "unit": ""})
    assert back.url.startswith(f"{LIST}?nam=2024&")
    saved = SavedFilter.objects.get()
    kept = "trang-thai=draft&trang-thai=pending&loai=thu-trong-cay&cot=ten&cot=ngay&xep=don-vi"
    assert (saved.name, saved.unit, saved.query, saved.user) == ("Chờ và nháp", None, kept, khoi.secretary)
    assert client.get(at("saved_filter", saved)).url == f"{LIST}?{kept}"
    opened = client.get(at("saved_filter", saved) + "?nam=2024", follow=True)
    assert shown(opened) == ["Của b11", "Của b12"]
    assert [str(column.header) for column in opened.context["table"].columns] == ["Hoạt động", "Ngày"]

    again = client.post(f"{ADD}?{query}", {"name": "Chờ và nháp", "unit": ""})
    assert (again.status_code, again.context["form"].errors["name"]) == (422, [saved_filters.SAME_NAME])
    assert client.post(f"{ADD}?{query}", {"name": " \u200b ", "unit": "khong co"}).status_code == 422
    other = saved_filters.save(user=khoi.secretary, name="Khác", query="")
    taken = client.post(at("saved_filter_edit", other), {"name": "Chờ và nháp", "unit": ""})
    assert (taken.status_code, taken.context["form"].errors["name"]) == (422, [saved_filters.SAME_NAME])
    narrowed = f"{LIST}?nam=2024&sap=ten"
    there = at("saved_filter_edit", other) + "?" + urlencode({"tiep": narrowed})
    assert client.post(there, {"name": "An toàn", "unit": "k1"}).url == narrowed
    assert offered(client) == ["An toàn", "Chờ và nháp"]
    assert client.post(at("saved_filter_delete", saved)).url == LIST
    # Back, or pressed twice: nothing went wrong, but only for whoever removed it.
    client.get(LIST)  # which says that it was removed
    gone = [client.post(at("saved_filter_delete", saved) + "?" + urlencode({"tiep": narrowed}), follow=True)]
    gone += [client.get(at(name, saved), follow=True) for name in ("saved_filter_edit", "saved_filter")]
    told = [(page.redirect_chain, [str(one) for one in page.context["messages"]]) for page in gone]
    assert told == [([(to, 302)], ["Bạn đã xoá bộ lọc này rồi."]) for to in (narrowed, LIST, LIST)]
    client.force_login(khoi.staff)
    names = ("saved_filter_edit", "saved_filter_delete")
    codes = [client.post(reverse(name, args=[pk])).status_code for name in names for pk in (saved.pk, 999)]
    assert codes == [404] * 4
    client.force_login(khoi.secretary)
    assert offered(client) == ["An toàn"]
    told = [(entry.verb.rpartition(".")[2], entry.label) for entry in JournalEntry.objects.order_by("pk")][-4:]
    assert told == [("save", "Chờ và nháp"), ("save", "Khác"), ("change", "An toàn"), ("delete", "Chờ và nháp")]
    assert journal.verify().wrong == []


def test_a_filter_belongs_to_a_year_only_when_its_days_do():
    assert saved_filters.query_of(QueryDict("nam=2024&q=cay")) == "q=cay"
    assert saved_filters.query_of(QueryDict("nam=2024&tu=1/2/2024")) == "nam=2024&tu=1%2F2%2F2024"
    with pytest.raises(ValidationError, match="quá dài"):
        saved_filters.query_of(QueryDict(f"cot={'x' * 2000}"))


def test_a_shared_filter_shows_each_reader_what_the_reader_may_see(client, khoi):
    shared = saved_filters.save(user=khoi.staff, name="Trồng cây", query="loai=thu-trong-cay", unit=khoi.b11)
    own = saved_filters.save(user=khoi.staff, name="Riêng", query="")
    titles = {}
    for who in ("cadre", "colleague", "staff", "secretary", "viewer"):
        client.force_login(getattr(khoi, who))
        opened = client.get(at("saved_filter", shared) + "?nam=2024", follow=True)
        titles[who] = (offered(client), shown(opened))
    both = ["Của b12", "Của b11"]
    assert titles == {
        "cadre": (["Trồng cây"], ["Của b11"]),
        "colleague": (["Trồng cây"], ["Của b11"]),
        "staff": (["Riêng", "Trồng cây"], both),
        "secretary": ([], both),  # may open it, but is not of b11: the own list stays short
        "viewer": ([], both),
    }
    client.force_login(khoi.cadre)
    assert client.post(at("saved_filter_edit", shared), {"name": "Của tôi", "unit": ""}).status_code == 403
    assert client.post(at("saved_filter_delete", shared)).status_code == 403
    assert client.get(at("saved_filter", own)).status_code == 404
    for who in ("other_cadre", "stranger"):
        client.force_login(getattr(khoi, who))
        assert [client.get(at("saved_filter", one)).status_code for one in (shared, own)] == [404, 404]
        assert offered(client) == []
    refused = client.post(f"{ADD}?q=cay", {"name": "Cho k1", "unit": "k1"})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["unit"])
    assert sorted(SavedFilter.objects.values_list("name", flat=True)) == ["Riêng", "Trồng cây"]


def test_a_wrong_or_endless_filter_is_not_saved(client, khoi, monkeypatch):
    client.force_login(khoi.cadre)
    assert client.post(f"{ADD}?nam=2024&trang-thai=la", {"name": "Sai"}).url == f"{LIST}?nam=2024&trang-thai=la"
    long = "&".join(f"cot=cs.{'x' * 90}{n}" for n in range(25))
    page = client.post(f"{ADD}?nam=2024&{long}", {"name": "Dài"}, follow=True)
    assert "quá dài để lưu" in page.content.decode()
    monkeypatch.setattr(saved_filters, "MOST", 0)
    full = client.post(f"{ADD}?nam=2024", {"name": "Nhiều"})
    assert (full.status_code, full.context["form"].non_field_errors()) == (
        422,
        ["Bạn đã lưu 0 bộ lọc. Xoá bớt bộ lọc cũ rồi lưu lại."],
    )
    assert SavedFilter.objects.count() == 0
