"""Photos and documents of a record: sent before it, claimed with it, seen by whom it concerns, cleared away."""

import io
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image, ImageDraw

from activities import review
from activities.models import Activity, Event, Evidence, Status, Step, UnitTotal
from activities.writing import evidence
from activities.writing.evidence import MOST_FILES, NOT_YOURS
from targets.years import close_year
from tests.factories import World, approve, make_activity
from unionwork.uploads import accept

ADD, CREATE = reverse("evidence_add"), reverse("activity_create")
JSON = {"Accept": "application/json"}


def photo(name="anh.jpg", seed=1):
    """A small picture of its own for every seed."""
    image = Image.radial_gradient("L").convert("RGB")
    ImageDraw.Draw(image).pieslice([20, 20, 230, 230], seed * 37 % 360, seed * 37 % 360 + 140, (255 - seed, seed, 9))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return SimpleUploadedFile(name, stream.getvalue())


def send(client, form_key, *, key=None, file=None, **headers):
    data = {"form_key": str(form_key), "key": str(key or uuid.uuid4()), "file": file or photo()}
    return client.post(ADD, data, headers=JSON | headers)


def attach(user, form_key, seed=1):
    """A row as the verbs make it."""
    return evidence.attach_upload(form_key=form_key, key=uuid.uuid4(), upload=accept(photo(seed=seed)), actor=user)


def typed(world, form_key, **fields):
    return {
        "unit": "b11",
        "kind": world.planting.code,
        "form_key": str(form_key),
        "first_day": "26/03/2024",
        "ngay": "chon",
        "last_day": "",
        "title": "Trồng cây",
        "sl-thu-cay-xanh": "35",
        "luu": "nhap",
    } | fields


def addresses(row):
    return [reverse("evidence_file", args=[row.key]), reverse("evidence_thumbnail", args=[row.key])]


def statuses(user, row):
    client = Client()
    client.force_login(user)
    return [client.get(address).status_code for address in addresses(row)]


def notes(activity):
    steps = (Step.ATTACH, Step.DETACH)
    rows = Event.objects.filter(activity=activity, step__in=steps)
    return list(rows.values_list("step", "from_status", "to_status", "reason"))


@pytest.fixture
def cadre(client, world):
    client.force_login(world.cadre)
    return client


def test_a_photo_sent_before_the_form_goes_with_the_record(cadre, world):
    form_key, key = uuid.uuid4(), uuid.uuid4()
    answer = send(cadre, form_key, key=key, file=photo("Hiến máu.png"))
    row = Evidence.objects.get()
    assert answer.json() == {
        "key": str(key),
        "name": "Hiến máu.jpg",
        "size": row.size,
        "url": f"/minh-chung/{key}/",
        "thumbnail": f"/minh-chung/{key}/nho/",
    }
    waiting = statuses(world.cadre, row), statuses(world.secretary, row), statuses(world.central, row)
    assert waiting == ([200, 200], [404, 404], [404, 404])
    form = cadre.post(CREATE, typed(world, form_key, luu="xem"))
    assert form.content.decode().count(f'data-key="{key}"') == 1

    cadre.post(CREATE, typed(world, form_key))
    activity = Activity.objects.get()
    row.refresh_from_db()
    assert (row.activity, notes(activity)) == (activity, [("attach", "draft", "draft", "Hiến máu.jpg")])
    names = ("cadre", "secretary", "staff", "viewer", "admin", "central", "other_cadre", "stranger")
    seen = {name: statuses(getattr(world, name), row) for name in names}
    assert seen == {name: [404, 404] if name in names[6:] else [200, 200] for name in names}
    shown = cadre.get(reverse("activity_detail", args=[activity.pk])).content.decode()
    assert (shown.count(addresses(row)[0] + '"'), shown.count(addresses(row)[1] + '"')) == (1, 1)


def test_a_picture_is_handed_out_safely_and_only_to_people(cadre, world, client):
    send(cadre, uuid.uuid4())
    row = Evidence.objects.get()
    response = cadre.get(addresses(row)[0])
    assert b"".join(response.streaming_content) == row.file.read()
    shown = {name: response.headers[name] for name in ("Content-Type", "X-Content-Type-Options", "Cache-Control")}
    assert shown == {
        "Content-Type": "image/jpeg",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=31536000, immutable",
    }
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    response.close()
    anonymous = Client().get(addresses(row)[0])
    assert (anonymous.status_code, anonymous.url.startswith(reverse("login"))) == (302, True)


def test_one_key_is_one_row_and_belongs_to_its_sender(cadre, world):
    form_key, key = uuid.uuid4(), uuid.uuid4()
    first, again = send(cadre, form_key, key=key), send(cadre, form_key, key=key, file=photo(seed=2))
    assert (first.json(), Evidence.objects.count()) == (again.json(), 1)
    assert (send(cadre, uuid.uuid4(), key=key).status_code, Evidence.objects.count()) == (422, 1)
    other = Client()
    other.force_login(world.other_cadre)
    refused = send(other, form_key, key=key)
    assert (refused.status_code, refused.json(), Evidence.objects.count()) == (422, {"error": NOT_YOURS}, 1)
    # A record that is not theirs, by its form key: neither shown nor touched.
    saved = make_activity(world.b11, world.cadre, world.planting)
    assert send(other, saved.form_key).json() == {"error": NOT_YOURS}
    assert Evidence.objects.filter(form_key=saved.form_key).count() == 0


BAD = [
    ({"key": "x"}, "Tải lại trang rồi chọn lại tệp."),
    ({"form_key": "\0"}, "Tải lại trang rồi chọn lại tệp."),
    ({"form_key": "9" * 5000}, "Tải lại trang rồi chọn lại tệp."),
    ({"file": "chữ"}, "Chọn ảnh hoặc tệp cần gửi."),
    ({"file": SimpleUploadedFile("a.jpg", b"")}, "Tệp rỗng: chọn lại tệp rồi gửi lại."),
]


def test_bad_input_is_answered_in_words(cadre):
    for wrong, words in BAD:
        data = {"form_key": str(uuid.uuid4()), "key": str(uuid.uuid4()), "file": photo()} | wrong
        response = cadre.post(ADD, data, headers=JSON)
        assert (response.status_code, response.json()) == (422, {"error": words}), wrong
    plain = cadre.post(ADD, {"key": "x"}, headers={"Referer": "http://testserver/hoat-dong/ghi/"})
    assert (plain.status_code, plain.url) == (302, "http://testserver/hoat-dong/ghi/")
    foreign = cadre.post(ADD, {"key": "x"}, headers={"Referer": "https://evil.example/"})
    assert foreign.url == reverse("activity_list")
    assert Evidence.objects.count() == 0
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = cadre.cookies
    assert send(strict, uuid.uuid4()).status_code == 403


def test_there_is_an_end_to_how_much_one_sends(cadre, world, monkeypatch):
    form_key = uuid.uuid4()
    assert [send(cadre, form_key, file=photo(seed=n)).status_code for n in range(MOST_FILES)] == [200] * MOST_FILES
    one_more = send(cadre, form_key, file=photo(seed=99))
    assert one_more.json()["error"] == "Mỗi hoạt động có nhiều nhất 10 tệp: bỏ bớt tệp ít cần rồi thêm lại."
    sent = sum(Evidence.objects.values_list("size", flat=True))
    monkeypatch.setattr(evidence, "MOST_A_DAY", sent + accept(photo()).size)
    assert [send(cadre, uuid.uuid4()).status_code for _ in range(2)] == [200, 422]
    Evidence.objects.update(at=timezone.now() - timedelta(days=1))
    assert send(cadre, uuid.uuid4()).status_code == 200


def test_without_javascript_files_ride_along_and_one_refused_keeps_the_others(cadre, world):
    form_key = uuid.uuid4()
    files = [photo("Một.jpg"), SimpleUploadedFile("Hai.jpg", b"<svg/>"), photo("Ba.jpg", 3)]
    response = cadre.post(CREATE, typed(world, form_key, tep=files))
    page = response.content.decode()
    assert (response.status_code, Activity.objects.count()) == (422, 0)
    assert [error["message"][:37] for error in response.context["errors"]] == ["Hai.jpg: Không nhận loại tệp này: chọ"]
    assert response.context["form"]["sl-thu-cay-xanh"].value() == "35"
    assert [row.name for row in response.context["evidence"]] == ["Một.jpg", "Ba.jpg"]
    assert page.count('enctype="multipart/form-data"') == 1

    first = Evidence.objects.get(name="Một.jpg")
    removed = cadre.post(CREATE, typed(world, form_key, luu="") | {"bo-minh-chung": str(first.key)})
    assert (removed.status_code, [row.name for row in removed.context["evidence"]]) == (200, ["Ba.jpg"])
    assert removed.context["form"]["sl-thu-cay-xanh"].value() == "35"

    for _ in range(2):  # sent twice by an impatient finger
        cadre.post(CREATE, typed(world, form_key, tep=[photo("Ba.jpg", 3), photo("Bốn.jpg", 4)]))
    activity = Activity.objects.get()
    assert sorted(activity.evidence.values_list("name", flat=True)) == ["Ba.jpg", "Bốn.jpg"]
    edit = reverse("activity_edit", args=[activity.pk])
    cadre.post(edit, typed(world, activity.form_key, version=activity.version, tep=[photo("Năm.jpg", 5)]))
    assert notes(activity)[1:] == [("attach", "draft", "draft", "Năm.jpg")]


def test_removing_deletes_row_and_files_and_leaves_a_note(cadre, world, django_capture_on_commit_callbacks):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5})
    rows = [attach(world.cadre, activity.form_key, seed) for seed in (1, 2)] + [attach(world.cadre, uuid.uuid4(), 3)]
    remove = {row: reverse("evidence_remove", args=[row.key]) for row in rows}
    for name, status in (("stranger", 404), ("other_cadre", 404), ("viewer", 403), ("admin", 403)):
        client = Client()
        client.force_login(getattr(world, name))
        assert client.post(remove[rows[0]]).status_code == status, name
    assert cadre.get(remove[rows[0]]).status_code == 405
    with django_capture_on_commit_callbacks(execute=True):
        answers = [cadre.post(remove[row], headers=JSON) for row in (rows[0], rows[2])]
        assert cadre.post(remove[rows[0]], headers=JSON).status_code == 404
    assert [answer.json() for answer in answers] == [{"key": str(rows[0].key)}, {"key": str(rows[2].key)}]
    assert list(Evidence.objects.all()) == [rows[1]]
    kept = [default_storage.exists(file.name) for row in rows for file in (row.file, row.thumbnail)]
    assert kept == [False, False, True, True, False, False]
    assert notes(activity)[-1] == ("detach", "draft", "draft", "anh.jpg")


def test_an_approved_record_takes_evidence_and_stays_approved_until_nothing_may_change(cadre, world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5})
    approve(activity, world.secretary)
    before = list(UnitTotal.objects.order_by("pk").values())
    row = attach(world.cadre, activity.form_key)
    version = activity.version
    activity.refresh_from_db()
    assert (activity.status, activity.version) == (Status.APPROVED, version)
    assert list(UnitTotal.objects.order_by("pk").values()) == before
    assert notes(activity) == [("attach", "approved", "approved", "anh.jpg")]

    close_year(year=2024)
    closed = "Năm công tác 2024 đã khoá nên không thay đổi được nữa."
    assert send(cadre, activity.form_key, file=photo(seed=2)).json() == {"error": closed}
    assert cadre.post(reverse("evidence_remove", args=[row.key]), headers=JSON).json() == {"error": closed}
    assert Evidence.objects.count() == 1


def test_a_cancelled_record_keeps_its_evidence_as_it_is(cadre, world):
    activity = make_activity(world.b11, world.cadre, world.planting)
    row = attach(world.cadre, activity.form_key)
    review.cancel(activity=activity, actor=world.cadre)
    answer = cadre.post(reverse("evidence_remove", args=[row.key]), headers=JSON)
    words = "Không thay đổi được minh chứng của hoạt động ở trạng thái “Đã huỷ”."
    assert (answer.status_code, answer.json()) == (422, {"error": words})


def test_a_picture_used_again_is_noted_for_the_reviewer_only(client, world):
    def record(unit, author, seed, **fields):
        made = make_activity(unit, author, world.planting, {world.trees: 5}, **fields)
        attach(author, made.form_key, seed)
        review.submit(activity=made, actor=author)
        return made

    first = record(world.b11, world.cadre, 1, title="Lần đầu", day=date(2024, 2, 1))
    neighbour = record(world.b12, world.other_cadre, 1, title="Bên cạnh")
    cancelled = record(world.b11, world.cadre, 1, title="Đã huỷ")
    review.cancel(activity=cancelled, actor=world.cadre)
    record(world.b21, world.stranger, 1, title="Tỉnh khác")
    record(world.b11, world.cadre, 9, title="Ảnh khác")
    again = record(world.b11, world.cadre, 1, title="Dùng lại")
    bits = int(again.evidence.get().perceptual, 16)
    for activity, mask in ((first, 0b1111), (neighbour, 0)):  # another shot of the same scene; the very same file
        activity.evidence.update(perceptual=f"{bits ^ mask:016x}")
    first.evidence.update(sha256="0" * 64)

    def noted(user):
        client.force_login(user)
        with CaptureQueriesContext(connection) as captured:
            response = client.get(reverse("activity_detail", args=[again.pk]))
        (row,) = response.context["evidence"]
        return {other.title for other in row.reused_in}, response.content.decode().count("Ảnh dùng lại"), len(captured)

    assert noted(world.secretary)[:2] == ({"Lần đầu", "Bên cạnh"}, 1)
    assert noted(world.cadre)[:2] == (set(), 0)
    first.evidence.update(perceptual=f"{bits ^ 0b11111:016x}")
    found, _, statements = noted(world.secretary)
    assert found == {"Bên cạnh"}
    for number in range(3):
        record(world.b12, world.other_cadre, 1, title=f"Thêm {number}")
    found, _, many_statements = noted(world.secretary)
    assert (len(found), many_statements) == (4, statements)


def test_the_sweep_clears_away_what_nobody_will_claim(world, capsys):
    old, young, late = (attach(world.cadre, uuid.uuid4(), seed) for seed in (1, 2, 3))
    saved = make_activity(world.b11, world.cadre, world.planting, form_key=uuid.uuid4())
    kept = attach(world.cadre, saved.form_key, 4)
    Evidence.objects.filter(pk__in=[old.pk, kept.pk]).update(at=timezone.now() - timedelta(days=31))
    # The form was saved in the very moment in which its photo came.
    missed = make_activity(world.b11, world.cadre, world.planting, form_key=late.form_key)
    Evidence.objects.filter(pk=late.pk).update(at=timezone.now() - timedelta(days=31))
    stuck = attach(world.cadre, uuid.uuid4(), 5)
    review.cancel(
        activity=make_activity(world.b11, world.cadre, world.planting, form_key=stuck.form_key), actor=world.cadre
    )
    Evidence.objects.filter(pk=stuck.pk).update(at=timezone.now() - timedelta(days=2))
    new_file = default_storage.save("minh-chung/moi", ContentFile(b"x"))
    call_command("sweep_uploads")
    said = "Đã gắn 1 minh chứng vào hoạt động đã lưu, xoá 1 minh chứng bỏ dở và 0 tệp không còn bản ghi.\n"
    assert capsys.readouterr().out == said
    claimed = {row.pk: row.activity for row in Evidence.objects.all()}
    assert claimed == {young.pk: None, late.pk: missed, kept.pk: saved, stuck.pk: None}
    assert [default_storage.exists(row.file.name) for row in (old, young, late, kept)] == [False, True, True, True]
    assert default_storage.exists(new_file)
    evidence.sweep(now=timezone.now() + timedelta(days=2))
    assert [default_storage.exists(name) for name in (new_file, young.file.name)] == [False, True]


@pytest.mark.django_db(transaction=True)
def test_five_posts_of_one_key_at_once_are_one_row():
    world = World()
    client = Client()
    client.force_login(world.cadre)
    form_key, key, content = uuid.uuid4(), uuid.uuid4(), photo().read()

    def post(_):
        try:
            mine = Client()
            mine.cookies = client.cookies
            return send(mine, form_key, key=key, file=SimpleUploadedFile("a.jpg", content)).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(post, range(5))) == [200] * 5
    row = Evidence.objects.get()
    assert default_storage.exists(row.file.name)
