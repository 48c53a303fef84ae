import contextlib
import csv
import io
import re
import unicodedata
from datetime import date, timedelta
from importlib import import_module
from threading import Thread
from types import SimpleNamespace

import openpyxl
import pytest
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_unit, make_user
from unionwork.imports import run_import
from unionwork.workbooks import template_workbook
from units import access, journal, organising, people
from units.models import JournalEntry, JournalHead, Placement
from units.resources import UserResource

NFD = unicodedata.normalize("NFD", "Đoàn cơ sở Tư pháp 🌱 ①")
CODE = "units.organising.rename_unit"


def note(unit, label="", **fields):
    fields = {"verb": CODE, "about": unit, "actor": None, "unit": unit.pk, "label": label or unit.name} | fields
    return journal.Note(**fields)


def faults():
    return journal.verify().wrong


def run(*args):
    """(what the command printed, whether it exited with 1)."""
    out = io.StringIO()
    try:
        call_command("verify_journal", *args, stdout=out)
    except CommandError:
        return out.getvalue(), True
    return out.getvalue(), False


# --- the chain ---


@pytest.fixture
def chained(world):
    """Five entries of b11 and two of b12."""
    for number in range(1, 6):
        journal.write([note(world.b11, f"Việc {number}", changes=[["Tên", "cũ", f"mới {number}"]])])
    journal.write([note(world.b12, "Việc kia"), note(world.b12, "Việc nọ")])
    assert (faults(), run("--digest-only")[1]) == ([], False)
    return world


def raw(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


ROW = "UPDATE units_journalentry SET {} WHERE chain = %s AND number = {}"
GONE = "DELETE FROM units_journalentry WHERE chain = %s AND number {}"
SLIPPED_IN = (
    "INSERT INTO units_journalentry"
    " (chain, number, at, unit_id, verb, object_type, label, reason, changes, search, hash)"
    " SELECT chain, 6, at, unit_id, verb, object_type, label, reason, changes, search, hash"
    " FROM units_journalentry WHERE chain = %s AND number = 5"
)
PAST = {  # ways past triggers on UPDATE and DELETE
    "postgresql": ["TRUNCATE units_journalentry", "TRUNCATE units_unit CASCADE"],
    "sqlite": ["INSERT OR REPLACE INTO units_journalentry SELECT * FROM units_journalentry WHERE number = 2"],
}
TAMPERED = {
    "a changed text": ([ROW.format("label = 'Việc khác'", 2)], ["mục 2 không còn như lúc ghi (Việc khác)"]),
    "a changed figure": (
        [ROW.format('changes = \'[["Tên", "cũ", "khác"]]\'', 5)],
        ["mục 5 không còn như lúc ghi (Việc 5)"],
    ),
    "another moment": ([ROW.format("at = '2024-01-01 00:00:00+00:00'", 1)], ["mục 1 không còn như lúc ghi (Việc 1)"]),
    "a changed text and a hash of its own": (
        [ROW.format(f"label = 'Việc khác', hash = '{'0' * 64}'", 2)],
        ["mục 2 không còn như lúc ghi (Việc khác)", "mục 3 không còn như lúc ghi (Việc 3)"],
    ),
    "rows taken from the middle": ([GONE.format("IN (2, 3)")], ["thiếu các mục 2–3"]),
    "the tail cut off": ([GONE.format("= 5")], ["phần cuối đã bị thay đổi hoặc bị xoá"]),
    "a row slipped in": (
        [SLIPPED_IN],
        ["mục 6 không còn như lúc ghi (Việc 5)", "phần cuối đã bị thay đổi hoặc bị xoá"],
    ),
    "two rows swapped": (
        [ROW.format("number = 99", 2), ROW.format("number = 2", 3), ROW.format("number = 3", 99)],
        [f"mục {at} không còn như lúc ghi (Việc {label})" for at, label in ((2, 3), (3, 2), (4, 4))],
    ),
    "the whole chain deleted": ([GONE.format("> 0")], ["mọi mục đã bị xoá"]),
    "a head moved back": (
        ["UPDATE units_journalhead SET length = 4 WHERE chain = %s"],
        ["phần cuối đã bị thay đổi hoặc bị xoá"],
    ),
    "a head deleted": (["DELETE FROM units_journalhead WHERE chain = %s"], ["phần cuối đã bị thay đổi hoặc bị xoá"]),
}


def test_whatever_is_done_to_the_rows_is_found_by_name(chained):
    unit = chained.b11
    for deed, (statements, expected) in TAMPERED.items():
        with transaction.atomic():
            for sql in statements:
                raw(sql, unit.pk)
            told, failed = run()
            found = (deed, faults(), failed)
            transaction.set_rollback(True)
        assert found == (deed, [f"Chuỗi {unit.pk} ({unit.name}): {fault}." for fault in expected], True)
        assert told.splitlines()[: len(expected)] == found[1]
    assert faults() == []


def test_a_digest_written_down_elsewhere_tells_of_what_was_done_with_its_head(chained):
    """Deleting the tail, or a whole chain, together with the stored end leaves a sound journal: but another one."""
    tomorrow = f"{timezone.localdate() + timedelta(days=1):%d/%m/%Y}"
    written_down, _ = run("--digest-only", "--until", tomorrow)
    told, failed = run()
    count = JournalEntry.objects.count()
    assert told.splitlines()[-2] == f"Đã kiểm tra {count} mục trong 3 chuỗi, 0 chỗ sai."
    assert (failed, told.splitlines()[-1].split()[-1]) == (False, run("--digest-only")[0].split()[-1])
    later = timezone.now() + timedelta(days=2)
    with transaction.atomic():  # what is added later changes nothing of it
        journal.write([note(chained.b11)])
        raw("UPDATE units_journalentry SET at = %s WHERE chain = %s AND number = 6", later, chained.b11.pk)
        assert run("--digest-only", "--until", tomorrow) == (written_down, False)
        transaction.set_rollback(True)
    raw("DELETE FROM units_journalentry WHERE chain = %s", chained.b12.pk)
    raw("DELETE FROM units_journalhead WHERE chain = %s", chained.b12.pk)
    assert run("--digest-only", "--until", tomorrow) != (written_down, False)
    assert (faults(), run("--until", "32/01/2024")[1]) == ([], True)


def test_the_database_itself_refuses_to_change_or_remove_an_entry(chained):
    """The triggers of the migrations; the tests' own tables are made without them."""
    names = ("0003_append_only", "0004_journal_holes")
    migrations = [import_module(f"units.migrations.{name}") for name in names]
    editor = SimpleNamespace(connection=connection, execute=raw)
    connection.check_constraints()  # PostgreSQL does neither of these while checks of this transaction wait
    for migration in migrations:
        migration.add(None, editor)
    for sql in (
        "UPDATE units_journalentry SET label = 'Khác'",
        "DELETE FROM units_journalentry",
        *PAST[connection.vendor],
    ):
        with pytest.raises(DatabaseError, match=migrations[0].REFUSE), transaction.atomic():
            raw(sql)
    journal.write([note(chained.b11)])
    connection.check_constraints()
    for migration in reversed(migrations):
        migration.drop(None, editor)
    assert (JournalEntry.objects.filter(chain=chained.b11.pk).count(), faults()) == (6, [])


def test_any_text_survives_the_database_and_a_dump_unchanged(world):
    odd = [NFD, "  hai  dòng\nvà\tcột ", "NUL\0", "'\"\\", "", None, 0, 12.5, "\u200b", "ẵ ễ ỗ ợ ữ ỵ"]
    changes = [["Ô", text, text] for text in odd]
    journal.write(
        [note(world.b11, NFD, reason=NFD, changes=changes, actor=world.cadre, year=2024), note(world.b11, "x" * 999)]
    )
    journal.write([journal.Note(CODE, world.b11, None)])
    entry = JournalEntry.objects.get(chain=world.b11.pk, number=1)
    said = unicodedata.normalize("NFC", NFD)
    assert (entry.label, entry.reason, entry.changes[0], entry.changes[2]) == (
        said,
        said,
        ["Ô", said, said],
        ["Ô", "NUL", "NUL"],
    )
    assert (entry.changes[5:7], entry.at.microsecond > 0 or entry.at.tzinfo is not None) == (
        [["Ô", "", ""], ["Ô", "0", "0"]],
        True,
    )
    dumped = serializers.serialize("json", JournalEntry.objects.all())  # the way from SQLite to PostgreSQL
    JournalEntry.objects.all().delete()
    for row in serializers.deserialize("json", dumped):
        row.save()
    assert (JournalEntry.objects.get(pk=entry.pk).at, faults()) == (entry.at, [])


def test_notes_kept_for_the_caller_are_written_once_and_dropped_with_what_was_undone(world):
    with journal.kept() as notes:
        journal.write([note(world.b11, "một")])
        with contextlib.suppress(ZeroDivisionError), journal.kept(notes):
            journal.write([note(world.b11, "bị huỷ")])
            raise ZeroDivisionError
        with journal.kept() as inner:
            journal.write([note(world.b12, "hai")])
        journal.write(inner)
    assert not JournalEntry.objects.filter(verb=CODE).exists()
    journal.write(notes)
    assert list(JournalEntry.objects.filter(verb=CODE).order_by("pk").values_list("label", flat=True)) == ["một", "hai"]


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_once_make_one_chain():
    """New chains and old ones, taken in different orders."""
    units = [make_unit(f"dv{number}", "trung-uong") for number in range(4)]
    errors = []

    def write(turn):
        try:
            for each in range(5):
                with transaction.atomic():
                    journal.write([note(units[(turn + each + step) % 4]) for step in range(3)])
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=write, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lengths = list(JournalHead.objects.filter(chain__in=[unit.pk for unit in units]).values_list("length", flat=True))
    assert (errors, sum(lengths), faults()) == ([], 8 * 5 * 3, [])


# --- what the verbs of units leave ---


def left(*skipped):
    """What the journal has beyond `skipped` entries, in order: verb, type, unit, label, changes, actor."""
    rows = JournalEntry.objects.order_by("pk").select_related("unit", "actor")[len(skipped) :]
    return [
        (
            entry.verb_in_words,
            entry.object_type,
            entry.unit and entry.unit.code,
            entry.label,
            [f"{what}: {old} → {new}" for what, old, new in entry.changes],
            entry.actor.username if entry.actor else None,
        )
        for entry in rows
    ]


def test_every_verb_about_units_and_people_leaves_one_entry_in_words_and_none_when_nothing_changes(world):
    before, admin = left(), world.admin
    path = Placement.objects.current().get(unit=world.b11).path
    fields = {"code": "moi", "name": "Xã Mới", "kind": world.b11.kind, "parent": world.k1, "founded": date(2024, 3, 5)}
    unit = organising.add_unit(**fields, actor=admin)
    for _ in range(2):
        organising.update_unit(
            unit=unit, sector="trường học", dissolved=date(2025, 7, 1), successor=world.b12, actor=admin
        )
        organising.state_parts(unit=unit, parts={"chi đoàn": 3}, total=4, actor=admin)
        organising.form_cluster(
            year=2024, organizer=world.k1, name="Cụm 1", members=[world.b11, world.b12], actor=admin
        )
    organising.rename_unit(unit=unit, name="Xã Mới Hơn", short_name="", was="Xã Mới", actor=admin)
    person = people.add_person(username="hoa", full_name="Hoa Minh Họa", phone="0912345678", unit=unit, actor=admin)
    for _ in range(2):
        people.correct_person(user=person, full_name="", phone="0912 345 679", unit=unit, actor=admin)
        people.grant_role(actor=admin, user=person, role=access.CADRE, unit=unit, path=path)
    people.change_password(user=person, password="mat-khau-that-dai")
    for _ in range(2):
        people.set_mail(user=person, email="hoa@example.vn", wants_mail=True)
    kind, who = str(world.b11.kind), "Hoa Minh Họa (hoa)"
    facts = [
        "Mã:  → moi",
        "Tên:  → Xã Mới",
        f"Loại:  → {kind}",
        "Ngày thành lập:  → 05/03/2024",
        "Trực thuộc:  → Đơn vị k1",
    ]
    corrected = ["Khối đối tượng:  → trường học", "Ngày giải thể:  → 01/07/2025", "Đơn vị kế thừa:  → Đơn vị b12"]
    mail = ["Địa chỉ thư:  → hoa@example.vn", "Thư “Việc hôm nay”: không nhận → nhận"]
    account = ["Tên đăng nhập:  → hoa", "Họ và tên:  → Hoa Minh Họa", "Điện thoại:  → 0912345678"]
    assert left(*before) == [
        ("Thêm đơn vị", "units.unit", "moi", "Xã Mới", facts, "admin"),
        ("Sửa đơn vị", "units.unit", "moi", "Xã Mới", corrected, "admin"),
        (
            "Ghi cơ cấu theo văn bản",
            "units.unit",
            "moi",
            "Xã Mới",
            ["chi đoàn:  → 3", "Tổng nêu trong văn bản:  → 4"],
            "admin",
        ),
        ("Lập cụm thi đua", "units.cluster", "k1", "Cụm 1", ["Đơn vị trong cụm:  → Đơn vị b11; Đơn vị b12"], "admin"),
        ("Đổi tên đơn vị", "units.unit", "moi", "Xã Mới Hơn", ["Tên: Xã Mới → Xã Mới Hơn"], "admin"),
        ("Thêm tài khoản", "units.user", "moi", who, account, "admin"),
        ("Sửa tài khoản", "units.user", "moi", who, ["Điện thoại: 0912345678 → 0912345679"], "admin"),
        ("Cấp vai trò", "units.role", "moi", f"{who} · Xã Mới", ["Vai trò:  → Cán bộ cơ sở"], "admin"),
        ("Đổi mật khẩu", "units.user", "moi", who, [], "hoa"),
        ("Đổi thư hằng ngày", "units.user", "moi", who, mail, "hoa"),
    ]
    assert (person.check_password("mat-khau-that-dai"), faults()) == (True, [])


def test_an_import_leaves_an_entry_for_each_object_in_few_statements_and_none_when_it_is_refused(world):
    before = left()
    header = ["Tên đăng nhập", "Họ và tên", "Điện thoại", "Vai trò", "Mã đơn vị"]
    rows = [[f"n{number}", f"Người {number}", None, "Cán bộ cơ sở", ("b11", "b12")[number % 2]] for number in range(4)]

    def imported(*rows):
        with CaptureQueriesContext(connection) as asked:
            outcome = run_import(
                UserResource(user=world.admin), io.BytesIO(template_workbook(header, rows)), check=False
            )
        return outcome.summary(), sum(1 for query in asked if "journal" in query["sql"])

    assert imported(*rows, ["sai", "Sai", None, "Cán bộ cơ sở", "b21"])[0] == "0 thêm mới, 0 cập nhật, 1 lỗi"
    assert left(*before) == []
    assert imported(*rows) == ("4 thêm mới, 0 cập nhật, 0 lỗi", 5)
    found = [(verb, unit, label) for verb, _, unit, label, _, _ in left(*before)]
    people = [(f"Người {n} (n{n})", ("b11", "b12")[n % 2]) for n in range(4)]
    assert found == [
        entry
        for who, unit in people
        for entry in (("Thêm tài khoản", unit, who), ("Cấp vai trò", unit, f"{who} · Đơn vị {unit}"))
    ]


# --- the page ---


@pytest.fixture
def two_blocs(world):
    """An admin of each khối; entries of both, of the province above and of no unit."""
    world.admin1 = make_user("qt1", access.ADMIN, world.k1, full_name="Nguyễn Thị Ánh")
    world.admin2 = make_user("qt2", access.ADMIN, world.k2, full_name="Trần Văn Khánh")
    for unit, actor in (
        (world.k1, world.admin1),
        (world.b11, world.admin1),
        (world.k2, world.admin2),
        (world.p1, None),
    ):
        changes = [["Tên", f"cũ-{unit.code}", f"mới-{unit.code}"]]
        journal.write([note(unit, f"Nhãn-{unit.code}z", actor=actor, reason=f"vì-{unit.code}", changes=changes)])
    journal.write([note(world.k1, "Chuyển nhà", verb="activities.moving.move_unit", actor=world.admin)])
    journal.write([journal.Note(CODE, world.b11, None, label="Nhãn-khôngz")])
    return world


def shown(client, user, **query):
    access.forget_grants(user)
    client.force_login(user)
    page = client.get(reverse("journal_list"), query).content.decode()
    return (
        re.findall(r"Nhãn-(\w+)z|(Chuyển nhà)", page.split('<div class="table-scroll"')[-1])
        if "table-scroll" in page
        else []
    )


def codes(found):
    return [code or other for code, other in found]


def test_an_admin_reads_of_the_own_subtree_only(client, two_blocs):
    assert codes(shown(client, two_blocs.admin1)) == ["Chuyển nhà", "b11", "k1"]
    assert codes(shown(client, two_blocs.admin2)) == ["k2"]
    page = client.get(reverse("journal_list")).content.decode()
    assert re.findall(r"b11|k1z|p1z|khôngz|Ánh", page) == []
    rows = list(csv.reader(io.StringIO(b"".join(client.get(reverse("journal_csv"))).decode("utf-8-sig"))))
    assert [row[5] for row in rows[1:]] == ["Nhãn-k2z"]
    for user in (two_blocs.secretary, two_blocs.viewer, two_blocs.cadre):
        client.force_login(user)
        assert [client.get(reverse(name)).status_code for name in ("journal_list", "journal_csv", "journal_xlsx")] == [
            403
        ] * 3
    superuser = make_user("goc", is_superuser=True)
    assert codes(shown(client, superuser)) == ["không", "Chuyển nhà", "p1", "k2", "b11", "k1"]


def test_every_filter_narrows_the_list_and_the_files_hold_just_that(client, two_blocs):
    admin = two_blocs.admin1

    def found(**query):
        return codes(shown(client, admin, **query))

    assert (found(**{"don-vi": "b11"}), found(**{"don-vi": "k1"})) == (["b11"], ["Chuyển nhà", "b11", "k1"])
    assert (found(**{"don-vi": "k2"}), found(**{"don-vi": "khong"}), found(tu="hôm kia")) == ([], [], [])
    assert (found(q="nhan vi-b11"), found(q="nhãn"), found(q="khác")) == (["b11"], ["b11", "k1"], [])
    assert (found(nguoi="anh"), found(nguoi="QT1"), found(nguoi="khanh")) == (["b11", "k1"], ["b11", "k1"], [])
    assert (found(viec="Chuyển đơn vị"), found(viec="Đổi tên đơn vị")) == (["Chuyển nhà"], ["b11", "k1"])
    assert (found(q="chuyen don vi"), found(q="ĐỔI TÊN đơn vị")) == (["Chuyển nhà"], ["b11", "k1"])
    today, tomorrow = (f"{timezone.localdate() + timedelta(days=more):%d/%m/%Y}" for more in (0, 1))
    assert (found(tu=today, den=today), found(tu=tomorrow), found(den="01/01/2024")) == (
        ["Chuyển nhà", "b11", "k1"],
        [],
        [],
    )
    turned = client.get(reverse("journal_list"), {"tu": tomorrow, "den": today})
    assert (turned.status_code, list(turned.context["form"].errors)) == (422, ["den"])
    page = client.get(reverse("journal_list")).content.decode()
    menu = page.split('name="viec"')[1].split("</select>")[0]
    lately, others = (re.findall(r'<option value="([^"]+)"', part) for part in menu.split("<optgroup"))
    assert (lately, "Cấp vai trò" in others, found(viec="Cấp vai trò")) == (
        ["Chuyển đơn vị", "Đổi tên đơn vị"],
        True,
        [],
    )
    bad = client.get(reverse("journal_list"), {"don-vi": "k2"})
    assert bad.context["form"].errors == {"don_vi": ["Không có đơn vị tên hoặc mã này trong phạm vi quản trị của bạn."]}
    assert (found(**{"don-vi": "don vi B11"}), found(**{"don-vi": "đơn vị"})) == (["b11"], [])

    query = {"nguoi": "anh", "don-vi": "b11"}
    book = openpyxl.load_workbook(io.BytesIO(b"".join(client.get(reverse("journal_xlsx"), query)))).active
    rows = list(book.iter_rows(values_only=True))
    assert (rows[0][5], len(rows), rows[1][0].date()) == ("Đối tượng", 2, timezone.localdate())
    said = ("qt1", "Nguyễn Thị Ánh", "Đổi tên đơn vị", "Nhãn-b11z", "b11", "Đơn vị b11", None)
    assert rows[1][2:] == (*said, "Tên: cũ-b11 → mới-b11", "vì-b11", f"{two_blocs.b11.pk}/1")


def test_the_page_asks_the_database_as_often_for_fifty_entries_as_for_one(client, two_blocs):
    counts = []
    client.force_login(two_blocs.admin2)
    for more in (0, 49):
        journal.write(note(two_blocs.b21, f"Việc {number}", actor=two_blocs.admin2) for number in range(more))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            response = client.get(reverse("journal_list"), {"per_page": "100", "don-vi": "k2"})
        counts.append((len(response.context["table"].rows), len(asked)))
    assert counts == [(1, counts[0][1]), (50, counts[0][1])]
    assert counts[0][1] <= 12


# --- the history of one object ---


def test_the_history_of_a_unit_is_read_by_those_who_see_it_and_of_its_people_by_those_who_manage_them(client, world):
    person = make_user("moi", access.CADRE, world.b11)
    journal.write([note(world.b11, "Nhãn-b11z"), note(world.b12, "Nhãn-b12z")])
    journal.write([journal.Note("units.people.add_person", person, world.admin, unit=world.b11.pk, label="Nhãn-moiz")])

    def read(user, slug="don-vi", key=world.b11.pk, **headers):
        client.force_login(user)
        response = client.get(reverse("history", args=[slug, key]), headers=headers)
        return response.status_code, re.findall(r"Nhãn-(\w+)z", response.content.decode().split("<ol class")[-1])

    assert (read(world.cadre), read(world.viewer), read(world.secretary)) == ((200, ["b11"]),) * 3
    assert (read(world.other_cadre)[0], read(world.stranger)[0], read(world.cadre, "khac")[0]) == (404, 404, 404)
    assert (read(world.admin), read(world.admin, HX_Request="true")) == ((200, ["moi", "b11"]),) * 2
    assert (read(world.admin, "tai-khoan", person.pk), read(world.cadre, "tai-khoan", person.pk)[0]) == (
        (200, ["moi"]),
        404,
    )
    assert [read(world.admin, "don-vi", key)[0] for key in (10**9, 10**30, 0)] == [404] * 3
    members = [world.b11, world.b12]
    cluster = organising.form_cluster(year=2024, organizer=world.k1, name="Cụm", members=members, actor=world.admin)
    assert (read(world.secretary, "cum", cluster.pk)[0], read(world.stranger, "cum", cluster.pk)[0]) == (200, 404)
    client.logout()
    assert client.get(reverse("history", args=["don-vi", world.b11.pk])).status_code == 302
