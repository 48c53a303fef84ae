import pytest
from django.urls import reverse

from activities import review
from activities.models import Activity, Status
from tests.factories import make_activity


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
    sent = {"usual": "Sai ngày", "reason": "xem ảnh", "place": place}
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
