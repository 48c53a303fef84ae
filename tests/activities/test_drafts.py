"""Nothing typed is lost: drafts on the server, one record a form, a session that ended in between."""

import re
import unicodedata
import uuid
from html import unescape

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from activities import review
from activities.models import Activity, Evidence, FormDraft, Status, Step
from activities.writing import drafts
from tests.factories import make_activity
from tests.factories import planting_form as typed

CREATE = reverse("activity_create")
KEEP = reverse("draft_keep")


@pytest.fixture
def cadre(client, world):
    client.force_login(world.cadre)
    return client


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def keep(client, fields, version=0):
    response = client.post(KEEP, fields | {"phien-ban": version})
    return response.status_code, response.json()


def hidden(response, name):
    """What the page's hidden fields of this name hold."""
    found = re.findall(rf'<input type="hidden" name="{re.escape(name)}" value="([^"]*)"', response.content.decode())
    return [unescape(text) for text in found]


def all_hidden(response):
    page = response.content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', main)
    return {unescape(name): unescape(text) for name, text in pairs}


# --- Drafts -------------------------------------------------------------------------


def test_a_draft_goes_on_on_another_device_as_it_was_typed(cadre, world):
    fields = typed(world, **{"sl-thu-cay-xanh": "chưa đếm", "first_day": "32/13", "hosts": "b12", "lạ": "x"})
    assert keep(cadre, fields | {"csrfmiddlewaretoken": "x", "luu": "gui"}) == (200, {"version": 1})
    draft = FormDraft.objects.get()
    assert set(draft.data) == set(fields) - {"lạ"}
    [listed] = drafts.of(world.cadre)
    assert (listed["title"], listed["url"]) == ("Trồng cây đầu xuân", f"{CREATE}?ban-nhap={draft.key}")

    page = signed_in(world.cadre).get(listed["url"])
    form = page.context["form"]
    said = [form[name].value() for name in ("form_key", "first_day", "title", "sl-thu-cay-xanh")]
    assert (page.status_code, said, form.errors) == (
        200,
        [fields["form_key"], "32/13", "Trồng cây đầu xuân", "chưa đếm"],
        {},
    )
    assert [partner.unit for partner in form.hosts_chosen] == [world.b12]
    assert 'data-version="1"' in page.content.decode()


def test_a_draft_is_nobody_elses(cadre, world):
    fields = typed(world)
    keep(cadre, fields)
    url, drop_url = drafts.of(world.cadre)[0]["url"], drafts.of(world.cadre)[0]["drop_url"]
    for user in (world.other_cadre, world.secretary, world.staff):
        other = signed_in(user)
        assert (other.get(url).status_code, other.post(drop_url).status_code) == (404, 404)
        assert keep(other, fields | {"title": "Chiếm lấy"})[0] == 410
        assert drafts.of(user) == []
    assert cadre.get(f"{CREATE}?ban-nhap=x").status_code == 404
    assert FormDraft.objects.get().title == "Trồng cây đầu xuân"
    assert cadre.post(drop_url).status_code == 302
    assert (FormDraft.objects.count(), cadre.post(drop_url).status_code) == (0, 404)


def test_of_two_devices_the_later_one_is_asked(cadre, world):
    fields = typed(world)
    assert keep(cadre, fields) == (200, {"version": 1})
    assert keep(cadre, fields | {"title": "Trên điện thoại"}, 1) == (200, {"version": 2})
    status, said = keep(cadre, fields | {"title": "Trên máy tính"}, 1)
    assert (status, said["version"]) == (409, 2)
    assert re.fullmatch(r"\d\d:\d\d ngày \d\d/\d\d", said["at"])
    assert FormDraft.objects.get().title == "Trên điện thoại"
    # The answer was lost and the same comes once more; then somebody decides for the own version.
    assert keep(cadre, fields | {"title": "Trên điện thoại"}, 1) == (200, {"version": 2})
    assert keep(cadre, fields | {"title": "Trên máy tính"}, 2) == (200, {"version": 3})


def test_what_is_no_draft_is_refused_in_words(cadre, world):
    for wrong in ({"form_key": "x"}, {"form_key": ""}, {"phien-ban": "-1"}, {"phien-ban": "9" * 30}):
        response = cadre.post(KEEP, typed(world) | wrong)
        assert (response.status_code, list(response.json())) == (422, ["error"])
    assert keep(cadre, typed(world, description="x" * 30_000))[0] == 422
    assert cadre.post(KEEP).status_code == 422
    assert keep(cadre, typed(world, title="a\0b", place=unicodedata.normalize("NFD", "Đồi")))[0] == 200
    assert FormDraft.objects.get().title == "ab"


def test_a_person_has_at_most_twenty_drafts(cadre, world, django_assert_num_queries):
    first = typed(world, title="", kind="")
    keep(cadre, first)
    for number in range(20):
        FormDraft.objects.create(key=uuid.uuid4(), user=world.cadre, title=str(number))
    keep(cadre, typed(world))
    assert FormDraft.objects.count() == 20
    assert not FormDraft.objects.filter(key=first["form_key"]).exists()
    with django_assert_num_queries(1):
        assert [row["title"] for row in drafts.of(world.cadre)][:2] == ["Trồng cây đầu xuân", "19"]


def test_a_saved_form_leaves_no_draft_and_a_late_one_is_not_taken(cadre, world):
    fields = typed(world)
    keep(cadre, fields)
    url = drafts.of(world.cadre)[0]["url"]
    cadre.post(CREATE, fields | {"luu": "nhap", "sl-thu-cay-xanh": "nhiều"})
    assert FormDraft.objects.count() == 1  # refused: still being typed
    cadre.post(CREATE, fields | {"luu": "nhap"})
    activity = Activity.objects.get()
    assert (FormDraft.objects.count(), keep(cadre, fields, 1)[0], FormDraft.objects.count()) == (0, 410, 0)
    assert cadre.get(url).url == reverse("activity_detail", args=[activity.pk])
    assert signed_in(world.other_cadre).get(url).status_code == 404


def test_a_record_being_changed_has_drafts_too(cadre, world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    fields = typed(world, version="1", title="Đang sửa", **{"ban-ghi": str(activity.pk)})
    assert keep(cadre, fields)[0] == 200
    [listed] = drafts.of(world.cadre)
    assert listed["url"] == f"{reverse('activity_edit', args=[activity.pk])}?ban-nhap={fields['form_key']}"
    page = cadre.get(listed["url"])
    assert (page.context["form"]["title"].value(), hidden(page, "version")) == ("Đang sửa", ["1"])
    assert cadre.post(listed["url"], fields | {"luu": "nhap"}).status_code == 302
    assert (FormDraft.objects.count(), keep(cadre, fields)[0]) == (0, 410)
    # Sent once more, because the answer was lost: it says what is saved, so nothing is stale.
    assert cadre.post(listed["url"], fields | {"luu": "nhap"}).status_code == 302
    assert Activity.objects.get().version == 2
    assert keep(signed_in(world.other_cadre), fields | {"form_key": str(uuid.uuid4())})[0] == 410
    for number in ("x", "9" * 40, "-1"):
        assert keep(cadre, typed(world, **{"ban-ghi": number}))[0] == 200


# --- One form, one record ----------------------------------------------------------------


def test_the_same_form_sent_again_leads_to_its_record(cadre, world):
    fields = typed(world, luu="gui", description="Dòng một\r\nDòng hai", hosts=["b12", "b21"])
    saved = cadre.post(CREATE, fields)
    activity = Activity.objects.get()
    where = reverse("activity_detail", args=[activity.pk])
    again = fields | {
        "description": "Dòng một\nDòng hai",
        "title": unicodedata.normalize("NFD", fields["title"]),
        "sl-thu-cay-xanh": " 35",
        "last_day": "26/3/2024",
        "hosts": ["b21", "b12"],
    }
    assert (saved.url, cadre.post(CREATE, again).url) == (where, where)
    by_script = cadre.post(CREATE, again, headers={"X-Keep": "1"})
    assert (by_script.status_code, by_script.headers["Location"]) == (201, where)
    assert [Activity.objects.count(), *activity.events.values_list("step", flat=True)] == [1, Step.CREATE, Step.SUBMIT]


def test_a_form_kept_as_draft_is_sent_by_the_second_press_but_never_a_second_time(cadre, world):
    fields = typed(world)
    cadre.post(CREATE, fields | {"luu": "nhap"})
    cadre.post(CREATE, fields | {"luu": "gui"})
    activity = Activity.objects.get()
    assert activity.status == Status.PENDING
    review.withdraw(activity=activity, actor=world.cadre)
    response = cadre.post(CREATE, fields | {"luu": "gui"}, follow=True)  # an old phone comes back to the network
    activity.refresh_from_db()
    assert activity.status == Status.DRAFT
    assert str(list(response.context["messages"])[-1]) == (
        f"Đã lưu trước đó với mã {activity.code}; không ghi thêm lần nữa."
    )


def test_the_same_form_with_other_content_shows_both_and_can_become_a_new_record(cadre, world):
    fields = typed(world, luu="gui")
    cadre.post(CREATE, fields)
    first = Activity.objects.get()
    file = Evidence.objects.create(
        key=uuid.uuid4(),
        form_key=fields["form_key"],
        file=ContentFile(b"x", "x"),
        name="anh.jpg",
        size=1,
        uploader=world.cadre,
    )
    page = cadre.post(CREATE, fields | {"title": "Việc “khác” & mới", "sl-thu-cay-xanh": "trên 40"})
    assert (page.status_code, Activity.objects.count()) == (409, 1)
    assert page.context["differences"] == [
        ["Tên", "Trồng cây đầu xuân", "Việc “khác” & mới"],
        [str(world.trees), "35", "trên 40"],
    ]
    assert f'href="{reverse("activity_detail", args=[first.pk])}"' in page.content.decode()
    go_on = all_hidden(page)
    assert (go_on["thay-khoa"], go_on["form_key"] == fields["form_key"]) == (fields["form_key"], False)
    asked = cadre.post(CREATE, go_on | {"luu": "gui"})  # two of a kind on one day
    assert (asked.status_code, hidden(asked, "thay-khoa")) == (422, [fields["form_key"]])
    go_on |= {"da-hoi": hidden(asked, "da-hoi"), "warnings_checked": "on"}
    assert cadre.post(CREATE, go_on | {"luu": "gui"}).status_code == 302
    second = Activity.objects.exclude(pk=first.pk).get()
    assert (second.title, second.status, second.author) == ("Việc “khác” & mới", Status.PENDING, world.cadre)
    assert second.figures.get(indicator=world.trees).value == 40
    file.refresh_from_db()
    assert file.activity == second
    assert cadre.post(CREATE, go_on | {"luu": "gui"}).status_code == 302
    assert Activity.objects.count() == 2


def test_the_key_of_somebody_elses_form_tells_nothing(cadre, world):
    fields = typed(world, luu="gui", unit="b12", title="Việc của đơn vị khác")
    signed_in(world.other_cadre).post(CREATE, fields)
    response = cadre.post(CREATE, fields | {"unit": "b11", "title": "Của tôi"})
    assert response.status_code == 422
    assert [str(error) for error in response.context["form"].non_field_errors()] == [
        "Biểu mẫu này đã được dùng. Tải lại trang rồi ghi lại."
    ]
    assert "Việc của đơn vị khác" not in response.content.decode()


# --- The session ended -----------------------------------------------------------------------


def sign_in(client, page, username):
    carried = all_hidden(page)
    return client.post(
        reverse("login"), carried | {"username": username, "password": "mat-khau-thu-nghiem"}, follow=True
    )


def test_without_javascript_a_form_sent_after_the_session_goes_on_after_signing_in(client, world):
    client.force_login(world.cadre)
    nobody = hidden(client.get(CREATE), "nguoi")
    fields = typed(world, luu="gui", title="Gõ “một lần”", nguoi=nobody[0], hosts=["b12", "b21"])
    client.logout()
    page = client.post(CREATE, fields)
    assert (page.status_code, Activity.objects.count()) == (401, 0)
    refused = client.post(reverse("login"), all_hidden(page) | {"username": "cadre", "password": "sai"})
    assert (refused.status_code, all_hidden(refused).keys() - {"csrfmiddlewaretoken"}) == (
        422,
        all_hidden(page).keys() - {"csrfmiddlewaretoken"},
    )
    page = sign_in(client, refused, "cadre")
    go_on = all_hidden(page)
    assert (page.status_code, Activity.objects.count(), "luu" in go_on) == (200, 0, False)
    assert 'action="/hoat-dong/ghi/"' in page.content.decode()
    form = client.post(CREATE, go_on).context["form"]
    assert [form[name].value() for name in ("form_key", "title", "sl-thu-cay-xanh")] == [
        fields["form_key"],
        "Gõ “một lần”",
        "35",
    ]
    # Somebody else on the same phone: led to the page, told nothing of what was typed.
    other = Client()
    page = sign_in(other, other.post(CREATE, fields), "other-cadre")
    assert page.redirect_chain == [(CREATE, 302)]
    assert "Gõ" not in page.content.decode()


def test_a_script_is_led_to_the_login_page_as_ever(client, world):
    response = client.post(CREATE, typed(world, nguoi="1"), headers={"X-Keep": "1"})
    assert response.url == f"{reverse('login')}?next={CREATE}"
    assert client.post(KEEP, typed(world)).url.startswith(reverse("login"))


def test_a_form_with_an_old_token_can_be_opened_again_unless_another_site_sent_it(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.cadre)
    fields = typed(world, luu="gui", nguoi="1", title="Còn nguyên")
    own = client.post(CREATE, fields, headers={"Origin": "http://testserver"})
    assert (own.status_code, all_hidden(own)["title"], "luu" in all_hidden(own)) == (403, "Còn nguyên", False)
    form = client.post(CREATE, all_hidden(own)).context["form"]
    assert form["title"].value() == "Còn nguyên"
    for origin in ({"Origin": "https://noi-khac.test"}, {}):
        assert "Còn nguyên" not in client.post(CREATE, fields, headers=origin).content.decode()


def test_a_fresh_token_comes_with_the_name_of_its_owner(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.cadre)
    said = client.get(reverse("fresh_token")).json()
    assert said["user"] == world.cadre.pk
    headers = {"X-CSRFToken": said["token"], "X-Keep": "1"}
    assert client.post(CREATE, typed(world, luu="gui"), headers=headers).status_code == 201
    assert Client().get(reverse("fresh_token")).status_code == 302
