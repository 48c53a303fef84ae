import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from activities import review
from activities.audit import audit
from activities.models import Activity, Status, Step
from activities.reviewing import correcting
from tests.activities.test_recording import change, whole_year
from tests.factories import make_activity, make_user
from unionwork.numbers import Parsed
from units import access
from units.models import Notice


@pytest.fixture
def waiting(world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35, world.times: 3})
    review.submit(activity=activity, actor=world.cadre)
    return Activity.objects.get(pk=activity.pk)


def correct(activity, actor, figures, reason="Đếm lại trên ảnh", seen=None):
    figures = {indicator: Parsed(value, "") for indicator, value in figures.items()}
    seen = activity.version if seen is None else seen
    correcting.correct_and_approve(activity=activity, actor=actor, figures=figures, reason=reason, seen=seen)


def figures(activity):
    return dict(activity.figures.values_list("indicator__code", "value"))


def test_a_correction_while_approving_counts_the_new_figures_and_tells_the_author(world, waiting):
    correct(waiting, world.secretary, {world.trees: 30, world.times: None})
    waiting.refresh_from_db()
    assert (waiting.status, waiting.approver, waiting.version) == (Status.APPROVED, world.secretary, 3)
    assert figures(waiting) == {"thu-cay-xanh": 30, "thu-so-hoat-dong": 1}
    assert [whole_year(unit, world.trees) for unit in (world.b11, world.k1, world.tw)] == [30, 30, 30]
    event = waiting.events.last()
    changes = [[str(world.trees), "35", "30"], [str(world.times), "3", "–"]]
    assert (event.step, event.actor, event.reason, event.changes) == (
        Step.CORRECT,
        world.secretary,
        "Đếm lại trên ảnh",
        changes,
    )
    text = "Chỉ số thu-cay-xanh: 35 → 30; Chỉ số thu-luot: 3 → –. Lý do: Đếm lại trên ảnh"
    assert list(Notice.objects.values_list("user", "kind", "text")) == [
        (world.cadre.pk, "corrected", f"{waiting.code} “Hoạt động thử” đã duyệt sau khi sửa: {text}")
    ]
    assert audit(2024).differences == []
    # Nobody became its writer: the same person may decide it again.
    review.unapprove(activity=waiting, actor=world.secretary, reason="Xem lại")
    review.approve(activity=waiting, actor=world.secretary)
    assert whole_year(world.tw, world.trees) == 30


def test_what_cannot_be_corrected_changes_nothing(world, waiting):
    second = make_user("pho-bi-thu", access.SECRETARY, world.k1)
    change(waiting, second, {world.trees: 36, world.times: 3})
    waiting.refresh_from_db()
    new = {world.trees: 30}
    for actor, what, how, error in (
        (world.secretary, {world.trees: 36}, {}, ValidationError),  # nothing differs
        (world.secretary, new, {"reason": " "}, ValidationError),
        (world.secretary, {world.trees: 10**15 + 1}, {}, ValidationError),
        (world.secretary, {world.trees: None, world.count: 5}, {}, ValidationError),  # counted by the system
        (world.secretary, {world.members: 5}, {}, ValidationError),  # a level
        (world.secretary, new, {"seen": waiting.version - 1}, review.Changed),
        (second, new, {}, PermissionDenied),  # changed it
        (world.cadre, new, {}, PermissionDenied),
        (world.stranger, new, {}, PermissionDenied),
    ):
        with pytest.raises(error):
            correct(waiting, actor, what, **how)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.events.last().step, figures(waiting)["thu-cay-xanh"]) == (
        Status.PENDING,
        Step.EDIT,
        36,
    )
    review.approve(activity=waiting, actor=world.secretary)
    with pytest.raises(review.WrongState):
        correct(Activity.objects.get(pk=waiting.pk), world.secretary, new)
    assert (whole_year(world.tw, world.trees), Notice.objects.count()) == (36, 0)


def test_the_page_shows_before_and_after_before_it_is_sent(client, world, waiting):
    client.force_login(world.secretary)
    url = reverse("activity_correct", args=[waiting.pk])
    assert f'href="{url}"' in client.get(reverse("activity_detail", args=[waiting.pk])).content.decode()
    page = client.get(url)
    assert [field.name for field in page.context["form"].figures] == ["sl-thu-cay-xanh", "sl-thu-luot"]
    sent = {"version": waiting.version, "sl-thu-cay-xanh": "30", "sl-thu-luot": "3", "reason": "Đếm lại"}
    wrong = client.post(url, sent | {"sl-thu-cay-xanh": "ba mươi", "reason": ""})
    assert (wrong.status_code, sorted(wrong.context["form"].errors)) == (422, ["reason", "sl-thu-cay-xanh"])
    shown = client.post(url, sent)
    assert (shown.status_code, shown.context["changes"]) == (200, [[str(world.trees), "35", "30"]])
    assert '<input type="hidden" name="sl-thu-cay-xanh" value="30">' in shown.content.decode()
    assert whole_year(world.tw, world.trees) == 0
    short = client.post(url, {name: value for name, value in sent.items() if name != "sl-thu-luot"})
    assert short.context["changes"] == shown.context["changes"]  # a box that was not sent empties nothing
    again = client.post(url, sent | {"sua": "1"})
    assert (again.context["changes"], again.context["form"]["sl-thu-cay-xanh"].value()) == (None, "30")

    change(waiting, world.cadre, {world.trees: 33, world.times: 3})
    stale = client.post(url, sent | {"xac-nhan": "1"})
    assert (stale.status_code, stale.context["form"]["sl-thu-cay-xanh"].value()) == (409, "30")
    assert stale.context["form"].fields["sl-thu-cay-xanh"].help_text == "đơn vị ghi: 33"
    version = stale.context["version"]
    done = client.post(url, sent | {"xac-nhan": "1", "version": version})
    assert (done.status_code, done.url) == (302, reverse("activity_detail", args=[waiting.pk]))
    assert whole_year(world.tw, world.trees) == 30
    client.force_login(world.stranger)
    assert client.get(url).status_code == 404
