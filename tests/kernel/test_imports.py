"""All or nothing, every bad row named, with a resource that writes Django's own groups."""

import io
import re
from datetime import date

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from unionwork.columns import ChoiceColumn, Column, DateColumn, NumberColumn, ReferenceColumn, TextColumn
from unionwork.imports import ImportErrors, Outcome, StrictResource, run_import
from unionwork.numbers import Parsed
from unionwork.workbooks import read_rows, template_workbook

HEADERS = ["Mã", "Giá trị", "Ngày", "Loại", "Nhóm trên"]
GOOD = ["a", 5, "26/03/2024", "Chi đoàn", None]


class GroupResource(StrictResource):
    """Creates or renames a group a row; the other columns are only looked at."""

    code = TextColumn("Mã", max_length=10, required=True)
    amount = NumberColumn("Giá trị", decimals=1)
    day = DateColumn("Ngày")
    kind = ChoiceColumn("Loại", {"Chi đoàn": "branch", "Đoàn cơ sở": "base"}, required=True)
    parent = ReferenceColumn(
        "Nhóm trên",
        lambda resource: Group.objects.filter(name__startswith=resource.user),
        field="name",
        missing='không có nhóm mã "{}" trong phạm vi của bạn',
    )
    key = ("code",)
    field_columns = {"name": "code"}

    def __init__(self, *, user=""):
        super().__init__(user=user)
        self.written = []

    def extra_columns(self, headers):
        known = {"cay": "trees", "Cây xanh": "trees", "km": "roads"}
        for header in headers:
            if header == "đoàn viên":
                self.report(1, header, "số thời điểm không nhập ở đây")
        return {h: NumberColumn(h, words=True, key=known[h]) for h in headers if h in known}

    def write(self, row):
        self.written.append(row)
        _, created = Group.objects.get_or_create(name=row["code"])
        return created


def sheet(*rows, headers=HEADERS):
    return io.BytesIO(template_workbook(headers, rows))


def imported(*rows, headers=HEADERS, check=False, resource=None):
    return run_import(resource or GroupResource(), sheet(*rows, headers=headers), check=check)


def names():
    return set(Group.objects.values_list("name", flat=True))


pytestmark = pytest.mark.django_db


def test_rows_are_written_and_counted_as_created_or_updated():
    Group.objects.create(name="b")
    outcome = imported(GOOD, ["b", *GOOD[1:]], ["c", *GOOD[1:]])
    assert (outcome, outcome.summary(), names()) == (Outcome(2, 1), "2 thêm mới, 1 cập nhật, 0 lỗi", {"a", "b", "c"})


def test_check_counts_the_same_and_writes_nothing():
    Group.objects.create(name="b")
    assert (imported(GOOD, ["b", *GOOD[1:]], check=True), names()) == (Outcome(1, 1), {"b"})


def test_values_arrive_cleaned_by_column_name_and_key():
    Group.objects.create(name="cha")
    resource = GroupResource()
    row = ["a", "66,5", date(2024, 3, 26), " chi  ĐOÀN", "cha", "trên 20.000"]
    assert imported(row, headers=[*HEADERS, "cay"], resource=resource) == Outcome(1, 0)
    (written,) = resource.written
    parent = Group.objects.get(name="cha")
    assert written == {"code": "a", "amount": 665, "day": date(2024, 3, 26), "kind": "branch", "parent": parent}
    assert (written.number, written.extra) == (2, {"trees": Parsed(20_000, "trên")})


def test_blank_cells_are_blank_and_not_zero():
    resource = GroupResource()
    assert (
        imported(["a", None, None, "Chi đoàn", None, None], headers=[*HEADERS, "cay"], resource=resource).errors == []
    )
    (written,) = resource.written
    assert written == {"code": "a", "amount": None, "day": None, "kind": "branch", "parent": None}
    assert written.extra == {"trees": Parsed(None, "")}


def test_headers_match_whatever_their_case_spaces_order_and_form():
    nfd = ["loa\u0323i", "ma\u0303", "NGÀY ", "giá  trị", "Nhóm\ntrên"]
    assert imported(["Chi đoàn", "a", None, 5, None], headers=nfd) == Outcome(1, 0)


def test_every_wrong_header_is_listed_at_once():
    headers = ["Mả", "Giá trị", "Ngày", "ngày", "Loại", None, "Cây xanh", "cay", "đoàn viên", "Xyz"]
    row = ["a", 5, None, None, "Chi đoàn", "x", 1, 2, 3, 4]
    assert imported(row, headers=[header or "" for header in headers]).errors == [
        'dòng 1, cột "ngày": cột này viết hai lần, ở C và D',
        'dòng 1, cột "F": ô tên cột để trống nhưng bên dưới có số liệu',
        'dòng 1, cột "đoàn viên": số thời điểm không nhập ở đây',
        'dòng 1, cột "Mả": không có cột này trong mẫu; có phải “Mã”?',
        'dòng 1, cột "Xyz": không có cột này trong mẫu',
        'dòng 1, cột "Mã": thiếu cột này',
        'dòng 1, cột "Nhóm trên": thiếu cột này',
        'dòng 1, cột "cay": trùng nghĩa với cột “Cây xanh”',
    ]


def test_every_bad_row_is_listed_with_its_own_number_and_nothing_is_written():
    rows = [
        GOOD,
        [None, "mười", "31/02/2024", "chi doan", "x"],
        [],
        ["b", date(2024, 3, 26), 45000, "Tổ", None],
        ["mười một ký tự", "1,25", None, "Chi đoàn", None],
        ["c", 5, None, "Chi đoàn", "#REF!"],
    ]
    outcome = imported(*rows)
    assert (outcome.created, outcome.updated, names()) == (0, 0, set())
    assert outcome.summary() == "0 thêm mới, 0 cập nhật, 11 lỗi"
    places = [re.match(r'dòng (\d+), cột "(.+?)": ', error).groups() for error in outcome.errors]
    assert places == [
        ("3", "Mã"), ("3", "Giá trị"), ("3", "Ngày"), ("3", "Loại"), ("3", "Nhóm trên"),
        ("5", "Giá trị"), ("5", "Ngày"), ("5", "Loại"),
        ("6", "Mã"), ("6", "Giá trị"), ("7", "Nhóm trên"),
    ]  # fmt: skip
    assert [error.split(": ", 1)[1] for error in outcome.errors if "Giá trị" not in error and "Ngày" not in error] == [
        "chưa nhập; cột này bắt buộc",
        "không có “chi doan”; có phải “Chi đoàn”?",
        'không có nhóm mã "x" trong phạm vi của bạn',
        "không có “Tổ”; chọn một trong: Chi đoàn, Đoàn cơ sở",
        "dài 14 ký tự; nhiều nhất 10",
        "ô này báo lỗi công thức #REF!",
    ]


def test_check_lists_the_same_errors_beside_the_counts_of_the_good_rows():
    bad = ["b", 5, None, "Tổ", None]
    judged, refused = imported(GOOD, bad, check=True), imported(GOOD, bad)
    assert (judged.errors, judged.created, refused.created, names()) == (refused.errors, 1, 0, set())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("check", "last"), [(False, "Tổ"), (True, "Chi đoàn")])
def test_outside_any_other_transaction_nothing_is_written_either(check, last):
    imported(GOOD, ["b", 5, None, last, None], check=check)
    assert names() == set()


def test_a_key_may_occur_only_once():
    assert imported(GOOD, ["b", *GOOD[1:]], ["a", *GOOD[1:]]).errors == ['dòng 4, cột "Mã": trùng với dòng 2']


def test_a_key_of_several_columns_names_them_all():
    class Pairs(GroupResource):
        key = ("code", "day")

    rows = [GOOD, ["a", 5, "27/03/2024", "Chi đoàn", None], GOOD]
    assert imported(*rows, resource=Pairs()).errors == ["dòng 4: trùng với dòng 2 ở các cột Mã, Ngày"]


def test_references_outside_the_scope_are_unknown_and_near_ones_are_suggested():
    Group.objects.create(name="DK1 mình")
    Group.objects.create(name="của người khác")
    outcome = imported(
        ["a", 1, None, "Chi đoàn", "của người khác"],
        ["b", 1, None, "Chi đoàn", "dk1 minh"],
        resource=GroupResource(user="DK"),
    )
    assert outcome.errors == [
        'dòng 2, cột "Nhóm trên": không có nhóm mã "của người khác" trong phạm vi của bạn',
        'dòng 3, cột "Nhóm trên": không có nhóm mã "dk1 minh" trong phạm vi của bạn; có phải “DK1 mình”?',
    ]


def test_references_cost_one_query_for_one_row_and_for_three():
    for name in "xyz":
        Group.objects.create(name=name)

    class Reader(GroupResource):
        def write(self, row):
            return True

    for rows in (1, 3):
        content = sheet(*[[str(n), 1, None, "Chi đoàn", "xyz"[n]] for n in range(rows)])
        with CaptureQueriesContext(connection) as queries:
            assert run_import(Reader(), content, check=False) == Outcome(rows, 0)
        assert sum(query["sql"].startswith("SELECT") for query in queries) == 1


def test_several_references_in_one_cell():
    class Many(GroupResource):
        parent = ReferenceColumn(
            "Nhóm trên", lambda resource: Group.objects.all(), field="name", separator=";", missing='không có "{}"'
        )

    groups = {name: Group.objects.create(name=name) for name in "xy"}
    resource = Many()
    outcome = imported(["a", 1, None, "Chi đoàn", "y; x ;"], ["b", 1, None, "Chi đoàn", None], resource=resource)
    assert outcome == Outcome(2, 0)
    assert [row["parent"] for row in resource.written] == [(groups["y"], groups["x"]), ()]
    assert imported(["c", 1, None, "Chi đoàn", "x;z"], ["d", 1, None, "Chi đoàn", "x;x"], resource=Many()).errors == [
        'dòng 2, cột "Nhóm trên": không có "z"',
        'dòng 3, cột "Nhóm trên": “x;x”: một mã viết hai lần',
    ]


def test_a_row_may_refer_to_one_created_above_it():
    class Tree(GroupResource):
        def write(self, row):
            created = super().write(row)
            self.fields["parent"].remember(row["code"], row["code"])
            return created

    resource = Tree()
    assert imported(GOOD, ["b", 1, None, "Chi đoàn", "a"], resource=resource) == Outcome(2, 0)
    assert resource.written[1]["parent"] == "a"
    assert imported(["c", 1, None, "Chi đoàn", "d"], ["d", 1, None, "Chi đoàn", None], resource=Tree()).errors == [
        'dòng 2, cột "Nhóm trên": không có nhóm mã "d" trong phạm vi của bạn'
    ]


class Refusing(GroupResource):
    """Writes, then refuses the rows whose code is in `refusals`."""

    def __init__(self, **refusals):
        super().__init__()
        self.refusals = refusals

    def write(self, row):
        created = super().write(row)
        if row["code"] in self.refusals:
            raise self.refusals[row["code"]]
        return created


def test_what_a_verb_refuses_becomes_the_rows_errors():
    resource = Refusing(
        b=ValidationError({"name": ["tên một", "tên hai"], "__all__": "cả hàng", "amount": "quá lớn", "khác": "lạ"}),
        c=ValidationError("chỉ một câu"),
        d=PermissionDenied("không được duyệt"),
        e=PermissionDenied(),
        f=ImportErrors([(2, "ngày", "muộn"), (7, None, "cuối")]),
        g=ValidationError({"cay": "nhiều quá"}),
    )
    rows = [[code, 1, None, "Chi đoàn", None, 1] for code in "abcdefgh"]
    outcome = imported(*rows, headers=[*HEADERS, "cay"], resource=resource)
    assert outcome == Outcome(
        errors=[
            'dòng 2, cột "Ngày": muộn',
            'dòng 3, cột "Mã": tên một',
            'dòng 3, cột "Mã": tên hai',
            "dòng 3: cả hàng",
            'dòng 3, cột "Giá trị": quá lớn',
            "dòng 3: lạ",
            "dòng 4: chỉ một câu",
            "dòng 5: không được duyệt",
            "dòng 6: bạn không có quyền làm việc này",
            "dòng 7: cuối",
            'dòng 8, cột "cay": nhiều quá',
        ]
    )
    assert (names(), len(resource.written)) == (set(), 8)


def test_a_refused_row_leaves_nothing_to_the_rows_below():
    resource = Refusing(a=ValidationError("không"))
    imported(GOOD, check=False, resource=resource)
    again = Refusing()
    assert imported(GOOD, resource=again) == Outcome(1, 0)


def test_a_database_error_spoils_no_other_row():
    """On PostgreSQL a statement after a failed one is refused unless the failed one was in a savepoint."""

    class Careful(GroupResource):
        def write(self, row):
            if row["code"] == "a":
                try:
                    Group.objects.bulk_create([Group(name="b"), Group(name="b")])
                except IntegrityError:
                    raise ValidationError("đã có") from None
            return super().write(row)

    assert imported(GOOD, ["c", *GOOD[1:]], resource=Careful()).errors == ["dòng 2: đã có"]


class Finishing(GroupResource):
    def __init__(self, refusal=None):
        super().__init__()
        self.refusal = refusal

    def finish(self):
        Group.objects.create(name="finished")
        if self.refusal:
            raise self.refusal


def test_finish_is_part_of_the_whole():
    assert (imported(GOOD, resource=Finishing()), names()) == (Outcome(1, 0), {"a", "finished"})


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (ImportErrors([(2, "day", "năm 2023 đã khoá")]), 'dòng 2, cột "Ngày": năm 2023 đã khoá'),
        (ValidationError("không ai duyệt việc mình ghi"), "không ai duyệt việc mình ghi"),
    ],
)
def test_what_finish_refuses_undoes_everything(refusal, sentence):
    assert (imported(GOOD, resource=Finishing(refusal)), names()) == (Outcome(errors=[sentence]), set())


@pytest.mark.parametrize("check", [False, True])
def test_an_unexpected_error_is_logged_reported_in_one_sentence_and_undoes_everything(check, caplog):
    outcome = imported(GOOD, ["b", *GOOD[1:]], resource=Refusing(b=RuntimeError("bí mật")), check=check)
    (sentence,) = outcome.errors
    incident = sentence.removeprefix(
        "dòng 3: hệ thống gặp lỗi ngoài dự kiến nên đã dừng, chưa lưu gì; báo quản trị mã sự cố "
    )
    assert re.fullmatch("[0-9a-f]{8}", incident)
    assert (outcome.created, names()) == (0, set())
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        f"Import incident {incident}: Refusing at row 3"
    ]


@pytest.mark.parametrize("hook", ["extra_columns", "before_import", "finish"])
def test_an_unexpected_error_outside_the_rows_is_reported_the_same_way(hook, monkeypatch):
    def broken(*args, **kwargs):
        raise KeyError("bí mật")

    monkeypatch.setattr(GroupResource, hook, broken)
    (sentence,) = imported(GOOD).errors
    assert sentence.startswith("hệ thống gặp lỗi ngoài dự kiến nên đã dừng, chưa lưu gì; báo quản trị mã sự cố ")
    assert names() == set()


def test_a_bad_file_and_an_empty_one_are_one_error():
    assert run_import(GroupResource(), io.BytesIO(b""), check=False) == Outcome(errors=["Tệp rỗng."])
    assert imported() == Outcome(errors=["Tệp chỉ có dòng tên cột, chưa có dòng số liệu nào."])


def test_numbers_are_exact_and_words_are_kept_only_where_asked():
    errors = imported(["a", "trên 20", None, "Chi đoàn", None], ["b", 2.25, None, "Chi đoàn", None]).errors
    assert errors[0] == 'dòng 2, cột "Giá trị": “trên 20”: cột này cần số chính xác, không kèm “trên”'
    assert errors[1].startswith('dòng 3, cột "Giá trị": “2,25”')


def test_a_required_number_may_be_zero_but_not_blank():
    column = NumberColumn("Số", required=True)
    assert column.clean({"Số": 0}) == 0
    for blank in (None, "–", "-"):
        with pytest.raises(ValueError, match=r"^chưa nhập; cột này bắt buộc$"):
            column.clean({"Số": blank})


@pytest.mark.parametrize(
    ("cell", "text"), [(101, "101"), (1.5, "1,5"), (date(2024, 3, 26), "26/03/2024"), (" a  b ", "a b")]
)
def test_text_columns_take_a_cell_as_it_shows(cell, text):
    assert TextColumn("Mã").clean({"Mã": cell}) == text


def test_a_plain_column_hands_over_the_cell():
    assert [Column("X").clean({"X": cell}) for cell in (5, "66,5%", None)] == [5, "66,5%", None]


def test_the_template_fits_the_resource_and_offers_its_choices():
    content = GroupResource().template([["001", 12, date(2024, 3, 26), "Chi đoàn"]], extra=["cay"], title="Nhóm")
    read = read_rows(io.BytesIO(content))
    assert (read.headers, read.rows) == (
        [*HEADERS, "cay"],
        [(2, ["001", 12, date(2024, 3, 26), "Chi đoàn", None, None])],
    )
    assert run_import(GroupResource(), io.BytesIO(content), check=False) == Outcome(1, 0)
    assert names() == {"001"}
