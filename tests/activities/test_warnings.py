"""What a writer is asked before a record goes, and what becomes of the answer."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities import review
from activities.models import Activity, ActivityKind, Evidence, Host, HostState, Status
from activities.rules import Rules
from activities.writing import warnings
from targets.models import Indicator
from tests.factories import approve, make_activity, make_indicator, make_kind, planting_form

CREATE = reverse("activity_create")
DAY = date(2024, 3, 26)


def asked(activity):
    return [(warning.code, warning.sentence) for warning in warnings.of_saved(activity, Rules())]


def codes(activity):
    return [code for code, _ in asked(activity)]


def plant(world, unit, author, trees, day=DAY, **fields):
    figures = trees if isinstance(trees, dict) else {world.trees: trees}
    return make_activity(unit, author, world.planting, figures, day, **fields)


def test_three_times_the_usual_is_doubted_once_there_is_a_habit(world):
    for number, trees in enumerate((10, 12, 500)):
        approve(plant(world, world.b11, world.cadre, trees, DAY - timedelta(days=9 + number)), world.secretary)
    plant(world, world.b11, world.cadre, 1, DAY - timedelta(days=20))  # never approved
    assert codes(plant(world, world.b11, world.cadre, 36)) == []
    assert asked(plant(world, world.b11, world.cadre, 37, DAY + timedelta(days=1))) == [
        ("unusual", "“Chỉ số thu-cay-xanh” 37 cây gấp hơn 3 lần mức thường của đơn vị (12).")
    ]
    assert codes(plant(world, world.b12, world.other_cadre, 37)) == []  # no habit of its own


def test_only_the_latest_twelve_make_the_habit(world):
    for number in range(13):
        old = plant(world, world.b11, world.cadre, 9_000 if number else 10, date(2024, 1, 1) + timedelta(days=number))
        approve(old, world.secretary)
    Activity.objects.filter(last_day__gt=date(2024, 1, 6)).update(status=Status.PENDING)
    assert codes(plant(world, world.b11, world.cadre, 27_001)) == ["unusual"]
    assert codes(plant(world, world.b11, world.cadre, 27_000, DAY + timedelta(days=1))) == []


def declare(unit, author, count, day=date(2024, 1, 31), code="doan-vien"):
    kind = ActivityKind.objects.get(code="ke-khai")
    return make_activity(unit, author, kind, {Indicator.objects.get(code=code): count}, day)


def test_more_people_than_members_are_doubted(world):
    times = Indicator.objects.get(code="luot-dvtn")
    assert codes(plant(world, world.b11, world.cadre, {times: 9_999}, date(2024, 2, 1))) == []  # nothing declared
    declare(world.b11, world.cadre, 900, date(2024, 1, 1))
    declare(world.b11, world.cadre, 1_200)
    declare(world.b11, world.cadre, 1_250, code="thanh-nien")
    assert codes(plant(world, world.b11, world.cadre, {times: 1_250}, DAY)) == []
    many = plant(world, world.b11, world.cadre, {times: 1_251}, DAY + timedelta(days=1))
    assert asked(many) == [
        (
            "members",
            "“Lượt đoàn viên, thanh niên tham gia” 1.251 lượt nhiều hơn số đoàn viên, thanh niên đã kê khai (1.250).",
        )
    ]
    Activity.objects.filter(pk=many.pk).update(first_day=DAY)  # over two days the same people come twice
    assert codes(Activity.objects.get(pk=many.pk)) == []
    Activity.objects.filter(pk=many.pk).update(first_day=many.last_day)
    Host.objects.create(activity=many, unit=world.b12)
    assert codes(Activity.objects.get(pk=many.pk)) == []  # nobody knows how many the partner has
    declare(world.b12, world.other_cadre, 1)
    assert codes(Activity.objects.get(pk=many.pk)) == []
    many.figures.update(value=1_252)
    assert asked(Activity.objects.get(pk=many.pk)) == [  # nothing from which one could learn how many that is
        ("members", "“Lượt đoàn viên, thanh niên tham gia” 1.252 lượt nhiều hơn số đoàn viên, thanh niên đã kê khai.")
    ]
    persons = make_indicator("thu-nguoi", unit_of_measure="người")
    assert codes(plant(world, world.b11, world.cadre, {persons: 1_251}, date(2024, 4, 9))) == ["members"]


def test_more_persons_than_times_are_doubted(world):
    persons = make_indicator("thu-nguoi", unit_of_measure="người")
    assert codes(plant(world, world.b11, world.cadre, {persons: 50, world.times: 50})) == []
    assert asked(plant(world, world.b11, world.cadre, {persons: 51, world.times: 50}, DAY + timedelta(days=1))) == [
        (
            "persons",
            "“Chỉ số thu-nguoi” 51 người nhiều hơn “Chỉ số thu-luot” 50 lượt: số lượt không ít hơn số người.",
        )
    ]


def test_the_same_kind_on_the_same_day_is_a_twin(world):
    first = plant(world, world.b11, world.cadre, 5, title="Sáng")
    plant(world, world.b11, world.cadre, 5, DAY - timedelta(days=1))
    plant(world, world.b12, world.other_cadre, 5, title="Nơi khác")
    make_activity(world.b11, world.cadre, make_kind("thu-khac", [world.trees]), {world.trees: 5})
    second = plant(world, world.b11, world.cadre, 7, title="Chiều")
    assert asked(second) == [("twin", f"Đơn vị đã ghi {first.code} “Sáng” cùng loại, cùng ngày: có thể trùng.")]
    review.cancel(activity=first, actor=world.cadre)
    assert asked(second) == []


def send(activity):
    review.submit(activity=activity, actor=activity.author)
    return activity


def test_an_event_that_a_neighbour_recorded_may_be_a_joint_one(world):
    mine = plant(world, world.b11, world.cadre, {world.trees: 120, world.times: 45}, title="Hàng cây Thanh niên")
    far = DAY + timedelta(days=4)
    send(plant(world, world.b12, world.other_cadre, 1, far, title="Hàng cây thanh niên"))
    send(plant(world, world.b21, world.staff, 1, title="Hàng cây thanh niên"))  # another superior
    send(plant(world, world.b12, world.other_cadre, {world.trees: 120, world.times: 9}, title="Một số giống"))
    plant(world, world.b12, world.other_cadre, 1, title="Hàng cây thanh niên")  # a draft is nobody's business
    assert asked(mine) == []
    near = DAY - timedelta(days=3)
    same = send(plant(world, world.b12, world.other_cadre, 1, near, title="Hàng cây THANH NIÊN"))
    ends = "Nếu hai đơn vị cùng làm: chỉ một đơn vị ghi, đơn vị kia ở mục “Phối hợp với”."
    assert asked(mine) == [
        ("joint", f"“Đơn vị b12” đã ghi một hoạt động giống thế này ngày 23/03/2024 ({same.code}). {ends}")
    ]
    same.title = "Tên khác"
    same.save()
    assert asked(mine) == []
    figures = {world.trees: 120, world.times: 45}
    send(plant(world, world.b12, world.other_cadre, figures, near, title="Đồi thông"))
    assert codes(mine) == ["joint"]
    partner = Host.objects.create(activity=mine, unit=world.b12)
    assert asked(mine) == []
    partner.delete()


def test_titles_that_the_form_suggests_make_no_event_the_same(world):
    for title in ("Loại thu-trong-cay", "Loại thu-trong-cay đợt 2"):
        send(plant(world, world.b12, world.other_cadre, {world.trees: 3, world.times: 4}, title=title))
        mine = plant(world, world.b11, world.cadre, {world.trees: 3, world.times: 4}, title=title)
        assert "joint" not in codes(mine)


def test_a_record_that_names_this_unit_as_its_partner_is_found_wherever_it_is(world):
    theirs = send(plant(world, world.b21, world.staff, 1, title="Ra quân", hosts=[world.b11]))
    mine = plant(world, world.b11, world.cadre, 5, title="Ra quân")
    assert codes(mine) == ["joint"]
    theirs.hosts.update(state=HostState.DECLINED)
    assert codes(mine) == []


def test_works_and_money_ask_for_evidence(world):
    money = make_indicator("thu-tien", unit_of_measure="đồng")
    works = make_kind("thu-cong-trinh", [world.times], has_work_level=True)
    assert codes(plant(world, world.b11, world.cadre, {money: 0})) == []
    paid = plant(world, world.b11, world.cadre, {money: 5}, date(2024, 3, 1))
    built = make_activity(world.b11, world.cadre, works, {world.times: 5}, work_level="base")
    assert [asked(paid), asked(built)] == [
        [("evidence", "Chưa có ảnh hay văn bản minh chứng cho số tiền.")],
        [("evidence", "Chưa có ảnh hay văn bản minh chứng cho công trình.")],
    ]
    for activity in (paid, built):
        Evidence.objects.create(
            key=uuid.uuid4(), form_key=activity.form_key, activity=activity, uploader=world.cadre, size=1
        )
    assert [asked(paid), asked(built)] == [[], []]


def picture(activity, name, content=1, bits=0):
    """A stored photo: `content` stands for the file's bytes, `bits` for what is seen in it."""
    Evidence.objects.create(
        key=uuid.uuid4(),
        form_key=activity.form_key,
        activity=activity,
        name=name,
        content_type="image/jpeg",
        size=1,
        sha256=f"{content:064x}",
        perceptual=f"{bits:016x}" if bits else "",
        uploader=activity.author,
    )


def test_a_photo_used_before_is_doubted_and_only_the_own_record_is_named(world):
    def record(unit, author, title, number, *, sends=True, **seen):
        made = plant(world, unit, author, 1, date(2024, 1, 1) + timedelta(days=9 * number), title=title)
        picture(made, "cu.jpg", **seen)
        return send(made) if sends else made

    mine = plant(world, world.b11, world.cadre, 5)
    picture(mine, "toi.jpg", 7, 0xF0F0)
    record(world.b12, world.other_cadre, "Nháp bên cạnh", 1, sends=False, content=7)
    record(world.b12, world.other_cadre, "Gần giống bên cạnh", 2, content=2, bits=0xF0F1)
    record(world.b11, world.cadre, "Ảnh khác", 3, content=3, bits=0x0F0F)
    gone = record(world.b11, world.cadre, "Đã huỷ", 4, content=7)
    review.cancel(activity=gone, actor=world.cadre)
    assert asked(mine) == []
    near = record(world.b11, world.cadre, "Đợt trước", 5, content=4, bits=0xF0FF)  # another shot of the scene
    named = f"Ảnh “toi.jpg” đã dùng trong {near.code} “Đợt trước”."
    assert asked(mine) == [("reused", named)]
    record(world.b21, world.staff, "Tỉnh khác", 6, content=7)
    picture(mine, "moi.jpg", 8)
    assert asked(mine) == [
        ("reused", named),
        ("reused", "Ảnh “toi.jpg” đã dùng trong hoạt động của đơn vị khác."),
    ]
    last = record(world.b11, world.cadre, "Đợt sau", 7, sends=False, content=8)
    both = f"Ảnh “toi.jpg”, “moi.jpg” đã dùng trong {last.code} “Đợt sau” và 1 hoạt động khác của đơn vị."
    assert asked(mine)[0] == ("reused", both)


def test_asking_takes_as_many_statements_for_one_old_record_as_for_thirty(world):
    def statements(activity):
        rules = Rules()
        activity = Activity.objects.get(pk=activity.pk)
        with CaptureQueriesContext(connection) as captured:
            found = warnings.of_saved(activity, rules)
        assert len(found) > 1
        return len(captured)

    declare(world.b11, world.cadre, 5)
    figures = {world.trees: 33, world.times: 44}

    def shown(activity):
        picture(activity, "anh.jpg", 7, 0xF0F0)
        return activity

    mine = shown(plant(world, world.b11, world.cadre, figures, title="Đồi thông"))
    shown(plant(world, world.b11, world.cadre, figures))
    shown(send(plant(world, world.b12, world.other_cadre, figures)))
    one = statements(mine)
    for _ in range(29):
        shown(approve(plant(world, world.b11, world.cadre, figures), world.secretary))
        shown(send(plant(world, world.b12, world.other_cadre, figures, hosts=[world.b11])))
    assert statements(mine) == one
    assert one <= 15


# --- asked and answered on the form ---


@pytest.fixture
def cadre(client, world):
    client.force_login(world.cadre)
    plant(world, world.b11, world.cadre, 5, title="Buổi sáng")
    return client


def typed(world, **fields):
    return planting_form(world, **{"title": "Buổi chiều", "luu": "gui"} | fields)


def test_a_doubtful_record_is_asked_about_once_and_sent_with_the_answer(cadre, client, world):
    sent = typed(world)
    page = cadre.post(CREATE, sent)
    shown = page.content.decode()
    assert (page.status_code, Activity.objects.count()) == (422, 1)
    assert [warning.code for warning in page.context["form"].doubts] == ["twin"]
    assert shown.count("Kiểm tra lại trước khi gửi") == 1
    assert shown.count('name="da-hoi" value="twin"') == 1
    assert f'href="{reverse("activity_detail", args=[Activity.objects.get().pk])}"' in shown
    assert (page.context["form"]["title"].value(), page.context["form"].errors) == ("Buổi chiều", {})

    again = cadre.post(CREATE, sent | {"da-hoi": "twin"})
    assert (again.status_code, list(again.context["form"].errors)) == (422, ["warnings_checked"])
    unseen = cadre.post(CREATE, sent | {"warning_reason": "Ghi trước"})
    assert (unseen.status_code, unseen.context["form"].errors, Activity.objects.count()) == (422, {}, 1)

    answered = sent | {"da-hoi": "twin", "warnings_checked": "on", "warning_reason": "Hai buổi khác nhau"}
    wrong = cadre.post(CREATE, answered | {"first_day": "31/02/2024"})
    shown = wrong.content.decode()
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["first_day"])
    assert (shown.count('name="da-hoi" value="twin"'), shown.count("Hai buổi khác nhau")) == (1, 1)  # nothing retyped
    assert cadre.post(CREATE, answered).status_code == 302
    activity = Activity.objects.get(title="Buổi chiều")
    assert (activity.status, [code for code, _ in activity.warnings]) == (Status.PENDING, ["twin"])
    assert activity.warning_reason == "Đã kiểm tra lại, số liệu đúng. Hai buổi khác nhau"

    client.force_login(world.secretary)
    page = client.get(reverse("activity_detail", args=[activity.pk])).content.decode()
    assert page.count(activity.warnings[0][1].replace('"', "&quot;")) == 1
    assert page.count("Đã kiểm tra lại, số liệu đúng. Hai buổi khác nhau") == 1
    queue = client.get(reverse("review_queue")).content.decode()
    assert queue.count('<span class="tag tag-returned">Có thể trùng</span>') == 1


def test_a_changed_record_is_asked_again_only_about_what_is_new(cadre, world):
    cadre.post(CREATE, typed(world) | {"da-hoi": "twin", "warnings_checked": "on"})
    activity = Activity.objects.get(title="Buổi chiều")
    address = reverse("activity_edit", args=[activity.pk])
    changed = typed(world, version=activity.version, place="Đồi minh họa")
    assert cadre.post(address, changed).status_code == 302
    activity.refresh_from_db()
    assert (activity.place, activity.warning_reason) == ("Đồi minh họa", "Đã kiểm tra lại, số liệu đúng.")
    plant(world, world.b11, world.cadre, 5, title="Buổi tối")
    changed |= {"version": activity.version, "place": ""}
    assert cadre.post(address, changed).status_code == 422
    crafted = cadre.post(address, changed | {"luu": "nhap", "sl-thu-cay-xanh": "99"})  # no page offers it: it waits
    assert (crafted.status_code, [warning.code for warning in crafted.context["form"].doubts]) == (422, ["twin"] * 2)
    assert activity.figures.get(indicator=world.trees).value == 35
    Activity.objects.filter(title__in=["Buổi sáng", "Buổi tối"]).update(
        first_day=DAY - timedelta(days=9), last_day=DAY - timedelta(days=9)
    )
    assert cadre.post(address, changed).status_code == 302
    activity.refresh_from_db()
    assert (activity.warnings, activity.warning_reason) == ([], "")


def test_a_draft_is_asked_about_only_when_it_is_sent_from_its_page_too(cadre, world):
    assert cadre.post(CREATE, typed(world, luu="nhap")).status_code == 302
    draft = Activity.objects.get(title="Buổi chiều")
    answer = cadre.post(reverse("activity_submit", args=[draft.pk]))
    draft.refresh_from_db()
    assert (answer.url, draft.status) == (f"{reverse('activity_edit', args=[draft.pk])}?hoi=1", Status.DRAFT)
    assert [warning.code for warning in cadre.get(answer.url).context["form"].doubts] == ["twin"]
    Activity.objects.filter(title="Buổi sáng").update(first_day="2024-03-01", last_day="2024-03-01")
    cadre.post(reverse("activity_submit", args=[draft.pk]))
    draft.refresh_from_db()
    assert draft.status == Status.PENDING
