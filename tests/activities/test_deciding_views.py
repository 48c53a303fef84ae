import pytest
from django.urls import reverse

from activities import recording, review
from activities.models import Activity, Status
from activities.rules import Entry
from tests.factories import make_activity
from unionwork.numbers import Parsed


@pytest.mark.parametrize(
    ("place", "opened", "name"),
    [("id_sl-thu-cay-xanh", "#id_sl-thu-cay-xanh", "sl-thu-cay-xanh"), ("", "#id_first_day", "first_day")],
)
def test_a_return_points_at_a_field_and_the_writers_form_opens_there(client, world, place, opened, name):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    review.submit(activity=activity, actor=world.cadre)
    url = reverse("activity_return", args=[activity.pk])
    client.force_login(world.secretary)
    places = [value for value, _ in client.get(url).context["form"].fields["place"].choices]
    assert places == ["", "id_first_day", "id_title", "id_kind", "id_sl-thu-cay-xanh", "id_sl-thu-luot", "tep"]
    sent = {"usual": "Sai ngày", "reason": "xem ảnh", "place": place, "version": "2"}
    assert client.post(url, sent | {"place": "id_khac"}).status_code == 422
    assert client.post(url, sent).status_code == 302

    client.force_login(world.cadre)
    edit = reverse("activity_edit", args=[activity.pk])
    detail = client.get(reverse("activity_detail", args=[activity.pk])).content.decode()
    assert f'href="{edit}{opened}"' in detail
    form = client.get(edit).context["form"]
    said = "Người duyệt: Sai ngày: xem ảnh"
    assert [field.name for field in form if field.help_text == said] == [name]
    client.post(reverse("activity_submit", args=[activity.pk]))
    activity = Activity.objects.get(pk=activity.pk)
    assert (activity.status, activity.return_place) == (Status.PENDING, "")
    assert [field.name for field in client.get(edit).context["form"] if field.help_text == said] == []


def test_who_returns_has_read_what_is_returned_and_keeps_the_words_typed(client, world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    review.submit(activity=activity, actor=world.cadre)
    url = reverse("activity_return", args=[activity.pk])
    client.force_login(world.secretary)
    seen = client.get(url).context["activity"].version
    entry = Entry(Activity.objects.get(pk=activity.pk), {world.trees: Parsed(36)})
    recording.edit(entry=entry, actor=world.cadre, version=seen)
    changed = client.post(url, {"reason": "Số chưa khớp ảnh", "version": seen})
    assert (changed.status_code, changed.context["form"]["reason"].value()) == (409, "Số chưa khớp ảnh")
    assert changed.context["form"].non_field_errors() == [review.CHANGED]
    again = {"reason": "Số chưa khớp ảnh", "version": changed.context["activity"].version}
    assert client.post(url, again).status_code == 302
    assert Activity.objects.get(pk=activity.pk).status == Status.RETURNED


def test_a_page_that_asks_before_a_step_is_left_when_it_is_too_late(client, world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    review.submit(activity=activity, actor=world.cadre)
    review.return_to_author(activity=activity, actor=world.secretary, reason="Thiếu ảnh")
    client.force_login(world.secretary)
    back = f"{reverse('review_queue')}?xem=qua-5-ngay"
    for name in ("activity_return", "activity_correct", "activity_unapprove"):
        url = reverse(name, args=[activity.pk])
        left = client.get(url, {"tiep": back}, follow=True)
        (said,) = [str(message) for message in left.context["messages"]]
        assert (left.redirect_chain, left.status_code) == ([(back, 302)], 200)
        assert said.startswith(f"{activity.code} đang ở trạng thái “Cần bổ sung”: Người secretary đã trả lại lúc ")
    piece = client.get(url, {"tiep": back}, headers={"HX-Request": "true"})
    assert (piece.status_code, piece.headers["HX-Redirect"]) == (200, back)
