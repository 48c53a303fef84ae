"""The demo: an invented organisation whose figures are those of the source documents.

Built only with the product's own verbs and the workbooks under fixtures/ (written by fixtures/build_demo.py). The
records of 2024 are shown again in the year of today, their dates squeezed into the days that have passed, so that
every role meets a living year.
"""

from datetime import date
from io import BytesIO

from django.conf import settings
from django.utils import timezone

from activities import recording, review
from activities.models import Activity, ActivityKind, Doubt
from activities.places import FIGURE
from activities.rules import Entry, Rules, entry_of
from activities.writing import warnings
from reports import demo_periods
from reports.workbook_kinds import resource_for
from targets import years
from targets.models import Indicator
from unionwork.imports import run_import
from unionwork.numbers import Parsed
from unionwork.workbooks import read_rows, template_workbook
from units import organising
from units.models import Unit, User

FIXTURES = settings.BASE_DIR / "fixtures"
ADMIN = "he-thong"
PAST = (2022, 2023, 2024)
# what, workbook, importer, approver
WORKBOOKS = (
    ("units", "demo/units.xlsx", ADMIN, None),
    ("users", "demo/users.xlsx", ADMIN, None),
    ("targets", "demo/targets-2023.xlsx", "vp.tw", None),
    ("targets", "targets-2024.xlsx", "vp.tw", None),
    ("targets", "targets-khoi-2024.xlsx", "vp.dka", None),
    ("assignments", "demo/assignments-2024.xlsx", "vp.tw", None),
    ("activities", "demo/activities-tinh-c-2022.xlsx", "vp.c", "bt.c"),
    ("declarations", "demo/declarations-tinh-c-2022.xlsx", "vp.c", "bt.c"),
    ("activities", "demo/activities-khoi-a-2023.xlsx", "vp.dka", "bt.dka"),
    ("activities", "demo/activities-khoi-b-2023.xlsx", "vp.dkb", "bt.dkb"),
    ("activities", "demo/activities-tinh-d-2023.xlsx", "vp.d", "bt.d"),
    ("declarations", "demo/declarations-2023.xlsx", "vp.tw", "bt.tw"),
    ("activities", "demo/activities-khoi-a-2024.xlsx", "vp.dka", "bt.dka"),
    ("declarations", "demo/declarations-khoi-a-2024.xlsx", "vp.dka", "bt.dka"),
)
AGAIN_THIS_YEAR = [row for row in WORKBOOKS if "2024" in row[1]]


class DemoError(Exception):
    """A workbook of the demo was refused."""


def is_loaded():
    return User.objects.filter(username=ADMIN).exists()


def load(say):
    """Build the demo; `say` is told each step. Raises DemoError when one of its own workbooks is refused."""
    today = timezone.localdate()
    admin = User.objects.create_superuser(ADMIN, password=None, full_name="Hệ thống (minh họa)")
    for year in sorted({*PAST, today.year}):
        years.open_year(year=year, actor=admin, theme="Năm Thanh niên tình nguyện" if year == 2024 else "")
    for what, name, importer, approver in WORKBOOKS:
        say(name, _import(what, FIXTURES / name, importer, approver))
    _describe()
    if today.year not in PAST:
        for what, name, importer, approver in AGAIN_THIS_YEAR:
            again = _moved_to_this_year(FIXTURES / name, today)
            say(f"{name} → {today.year}", _import(what, again, importer, approver))
    say("hoạt động đang chờ", _leave_work_to_do(today))
    say("báo cáo kỳ", demo_periods.report(today))


def set_password(password):
    """One password for every account of the demo that has a role."""
    people = list(User.objects.filter(roles__isnull=False).distinct())
    for user in people:
        user.set_password(password)
    User.objects.bulk_update(people, ["password"])


def _import(what, file, importer, approver):
    people = {user.username: user for user in User.objects.filter(username__in=[importer, approver])}
    resource = resource_for(what, user=people[importer], approver=people.get(approver))
    outcome = run_import(resource, file, check=False)
    if outcome.errors:
        raise DemoError("\n".join([f"{file}: {outcome.summary()}", *outcome.errors[:10]]))
    return outcome.created


def _describe():
    """What workbooks do not carry: the structure as a document words it, and a cụm thi đua."""
    actor = User.objects.get(username=ADMIN)
    bloc = Unit.objects.get(code="DK-B")
    organising.state_parts(unit=bloc, parts={"đoàn cơ sở": 13, "chi đoàn cơ sở": 32}, total=55, actor=actor)
    organising.form_cluster(
        actor=actor,
        year=2023,
        organizer=Unit.objects.get(code="TINH-D"),
        name="Cụm thi đua khối các đơn vị trực thuộc (minh họa)",
        members=Unit.objects.filter(code__in=["DK-D", "CA-D", "THAN-D"]),
    )


def _moved_to_this_year(path, today):
    """The workbook of 2024 with its year replaced and its dates squeezed into this year's past days."""
    found = read_rows(path)
    passed = (today - date(today.year, 1, 1)).days

    def moved(header, value):
        if header == "Năm":
            return today.year
        if isinstance(value, date):
            if header in ("Hạn", "Ngày quyết định"):
                return value.replace(year=today.year, day=min(value.day, 28))
            return date.fromordinal(
                date(today.year, 1, 1).toordinal() + (value - date(2024, 1, 1)).days * passed // 366
            )
        return f"{value} (minh họa)" if header == "Nội dung" and "minh họa" not in value else value

    rows = [[moved(h, v) for h, v in zip(found.headers, row, strict=True)] for _, row in found.rows]
    return BytesIO(template_workbook(found.headers, rows))


def _leave_work_to_do(today):
    """Records of this year in every state that waits for somebody: to be reviewed, completed, finished."""
    cadres = list(User.objects.filter(username__startswith="cb.a").order_by("username"))
    secretary = User.objects.get(username="bt.dka")
    made = 0
    for cadre in cadres:
        unit = cadre.roles.get().unit
        for title, kind, code, value in (
            ("Trồng cây quanh trụ sở", "trong-cay", "cay-xanh", 35),
            ("Ngày hội hiến máu mùa thu", "hien-mau", "don-vi-mau", 18),
            ("Dọn kênh mương", "tinh-nguyen", "luot-dvtn", 42),
        ):
            activity = _record(cadre, unit, f"{title} (minh họa)", kind, {code: value}, today)
            review.submit(activity=activity, actor=cadre)
            made += 1
        sent_back = _record(
            cadre, unit, "Lớp kỹ năng số (minh họa)", "chuyen-doi-so", {"luot-chuyen-doi-so": 60}, today
        )
        review.submit(activity=sent_back, actor=cadre)
        review.return_to_author(
            activity=sent_back,
            actor=secretary,
            reason="Số lượt chưa khớp với danh sách gửi kèm.",
            place=f"{FIGURE}luot-chuyen-doi-so",
        )
        _record(cadre, unit, "Tổ công nghệ số cộng đồng (minh họa)", "chuyen-doi-so", {}, today)
        made += 2
    return made + _leave_doubts(cadres, today)


def _leave_doubts(cadres, today):
    """Waiting records that were sent with a warning, and the writer's answer to it. Returns how many records wait."""
    joint = "Trung thu cho em xã Suối Mơ (minh họa)", "tang-qua", {"suat-qua-thieu-nhi": 60}  # two units wrote it down
    rows = (
        (cadres[0], "Trồng cây ven đường liên xã (minh họa)", "trong-cay", {"cay-xanh": 900}, "Cả hai đợt trồng."),
        (cadres[0], *joint, ""),
        (cadres[1], *joint, "Hai đơn vị cùng làm."),
        (
            cadres[2],
            "Tặng quà gia đình chính sách (minh họa)",
            "tang-qua",
            {"suat-qua-chinh-sach": 20, "tri-gia-qua": 10_000_000},
            "Chưa kịp chụp danh sách ký nhận.",
        ),
        (cadres[2], "Trồng cây quanh sân trường (minh họa)", "trong-cay", {"cay-xanh": 35}, "Trồng ở hai nơi."),
    )
    for cadre, title, kind, figures, reason in rows:
        activity = _record(cadre, cadre.roles.get().unit, title, kind, figures, today)
        review.submit(activity=activity, actor=cadre)
        rules = Rules()
        warnings.answer(entry=entry_of(activity, rules), rules=rules, asked=Doubt.values, reason=reason)
    return len(rows)


def _record(author, unit, title, kind, figures, day):
    """A draft by the product's own verb. `figures`: {indicator code: value in its smallest unit}."""
    activity = Activity(
        unit=unit,
        kind=ActivityKind.objects.get(code=kind),
        title=title,
        first_day=day,
        last_day=day,
        place="xã Suối Mơ",
    )
    parsed = {Indicator.objects.get(code=code): Parsed(value, "") for code, value in figures.items()}
    return recording.create(entry=Entry(activity, parsed), actor=author)
