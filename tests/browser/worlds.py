"""A small organisation with something of everything to look at, for the page tests. Built by the product's verbs."""

from datetime import date

from django.utils import timezone

from activities import recording, review
from activities.joint import hosting
from activities.lists import saved_filters
from activities.models import Activity, PeriodReport, Status
from activities.moves.moving import move_unit
from activities.reporting import periods
from activities.rules import Rules, entry_of
from activities.writing import corrections
from targets import giving, years
from targets import periods as calendar
from targets.giving import Wish
from targets.models import Measure, Period
from tests.activities.locking import lock, unlock
from tests.factories import World, make_activity, make_target, make_unit, make_user, make_year
from tests.reports.worlds import Year
from unionwork.numbers import Parsed
from units import access
from units.models import Notice

LONG_NAME = (
    "Đoàn cơ sở Công ty Trách nhiệm hữu hạn Một thành viên Khai thác công trình thuỷ lợi và Phát triển nông thôn "
    "các huyện miền núi phía Tây tỉnh minh họa"
)
LONG_WORD = "https://vidu.test/" + "minh-chung-cua-hoat-dong-rat-dai" * 4  # nowhere to break the line


class FullWorld(World):
    """`World` and the `Year` 2024 of k1 in it: targets of every kind, given and registered, approved records, joint
    work, declarations, a milestone reached. Beside these a record in every state, names that are hard to lay out, a
    closed year, a moved unit, more rows than a page of a list."""

    def __init__(self):
        make_year(2023)
        super().__init__()
        years.close_year(year=2023)
        self.months = Year(self)
        self.boss = self.months.boss
        self.milestone = self.months.milestone
        self.long = make_unit("DON-VI.TEN-RAT-DAI_2024", "doan-co-so", self.k1, name=LONG_NAME, sector="doanh nghiệp")
        make_user("nobody")
        self._records()
        self._give()
        self.saved_filter = saved_filters.save(
            user=self.secretary, name=f"Chờ duyệt {LONG_WORD}"[:80], query="trang-thai=pending", unit=self.k1
        )
        told = {"user": self.cadre, "unit": self.b11, "kind": "returned", "url": "/", "show_at": timezone.now()}
        Notice.objects.create(text=f"Trả lại: {LONG_WORD}", **told)
        Notice.objects.create(text="Đã đọc rồi", read_at=timezone.now(), **told)
        self._report()
        self.accepted = lock(self.b12, self.other_cadre, self.secretary, number=2)
        unlock(self.b12, self.secretary, date(2024, 2, 1), date(2024, 2, 29), reason=f"Sửa số (minh họa) {LONG_WORD}")
        trees = {"kind": "total", "value": 80, "indicators": [self.trees], "deadline": date(2023, 12, 1)}
        make_target(self.k1, 2023, [trees, {"kind": "milestone"}], number=7, text="Việc của năm trước (minh họa)")
        make_target(self.k1, 2023, [trees], number=1, text="Đã có trong năm nay (minh họa)")
        self.draft_target = make_target(
            self.k1, 2024, [{"kind": "milestone"}], number=1, text="Còn là bản nháp (minh họa)", issued_on=None
        )
        for number in range(1, 28):
            make_unit(f"cd{number:02}", "chi-doan", self.b12, name=f"Chi đoàn {number}")
        moved = make_unit("chuyen-den", "chi-doan", self.b12, name="Chi đoàn chuyển đến")
        move_unit(unit=moved, parent=self.b11, year=2024, actor=self.admin, reason="Quyết định 12-QĐ/TĐTN (minh họa)")

    def _report(self):
        """A word about December that waits, and a campaign."""
        about = Period.objects.standard().get(year=2024, kind="month", number=12)
        texts = {"difficulties": f"Xa {LONG_WORD}", "proposals": "Xin tập huấn (minh họa)"}
        periods.report(unit=self.b11, period=about, nothing=True, actor=self.cadre, **texts)
        self.report = PeriodReport.objects.get()
        days = {"first_day": date(2024, 3, 1), "last_day": date(2024, 3, 31), "due": date(2024, 4, 5)}
        self.campaign = calendar.add_campaign(
            year=self.year, issuer=self.k1, name="Tháng Thanh niên", grace=2, levels=["base"], actor=self.staff, **days
        )

    def _records(self):
        self.draft = self._record(self.b11, self.cadre, title="Bản nháp trồng cây")
        self.draft_to_cancel = self._record(self.b11, self.cadre, title="Bản nháp viết thừa")
        self.pending = self._sent(self.b11, self.cadre, title="Trồng cây đầu xuân", hosts=[self.b12, self.b21])
        hosting.decline(
            activity=self.pending, unit=self.b21, actor=self.stranger, reason="Đơn vị đã tự ghi hoạt động này"
        )
        self.invited = self.pending.hosts.get(unit=self.b12)
        self.unbroken = self._sent(
            self.long, self.secretary, title=LONG_WORD, place=LONG_WORD, description=f"Dòng một\n{LONG_WORD}"
        )
        self.returned = self._sent(self.b11, self.cadre, title="Vệ sinh bờ sông", place="Bờ sông Hoa Mai")
        review.return_to_author(activity=self.returned, actor=self.secretary, reason="Số liệu chưa khớp: xem lại")
        self.approved = self._sent(self.b11, self.cadre, title="Hàng cây thanh niên", hosts=[self.b12])
        review.approve(activity=self.approved, actor=self.secretary)
        review.unapprove(activity=self.approved, actor=self.secretary, reason="Cần kiểm tra lại số liệu")
        self._change(self.approved, self.cadre)
        review.approve(activity=self.approved, actor=self.secretary)
        self._correct(self.approved, self.cadre)
        self.cancelled = self._sent(self.b11, self.cadre, title="Ngày hội ghi trùng")
        review.cancel(activity=self.cancelled, actor=self.cadre, reason="Ghi trùng")
        self.published = self._sent(self.b12, self.other_cadre, title="Đã nằm trong báo cáo")
        review.approve(activity=self.published, actor=self.secretary)
        Activity.objects.filter(pk=self.published.pk).update(status=Status.PUBLISHED)  # counts like an approved one
        for number in range(1, 28):
            self._sent(self.b12, self.other_cadre, title=f"Chăm sóc cây, đợt {number}")
        self.declared = Activity.objects.filter(unit=self.b11, kind=self.declaring).latest("pk")

    def _give(self):
        """One chỉ tiêu was issued by a decision; another waits in a draft."""
        own = Measure.objects.filter(kind="total", target__year=2024, target__issuer=self.k1).order_by("target__number")
        self.drafted, issued = own[0], own[1]
        for measure, number in ((issued, 3), (self.drafted, 1000)):
            wishes = [Wish(self.b11, number, None, "Ghi chú của văn phòng", True), Wish(self.b12, 2, None)]
            giving.save_draft(measure=measure, giver=self.k1, wishes=wishes, actor=self.staff)
            if measure == issued:
                self.decision = giving.issue(
                    giver=self.k1,
                    year=self.year,
                    targets=[],
                    measures=[measure],
                    number="05-QĐ/ĐK",
                    day=date(2024, 2, 1),
                    actor=self.staff,
                )

    def _record(self, unit, author, **fields):
        return make_activity(
            unit, author, self.planting, {self.trees: 12, self.times: 1234}, date(2024, 5, 19), **fields
        )

    def _sent(self, unit, author, **fields):
        activity = self._record(unit, author, **fields)
        review.submit(activity=activity, actor=author)
        return activity

    def _change(self, activity, author):
        activity.refresh_from_db()
        entry = entry_of(activity, Rules())
        activity.place = "Công viên (minh họa)"
        recording.edit(entry=entry, actor=author, version=activity.version)

    def _correct(self, activity, author):
        """A correction of the approved record waits beside it."""
        years.set_keeps_approved(year=2024, keeps=True, actor=self.central)
        activity = Activity.objects.get(pk=activity.pk)
        entry = entry_of(activity, Rules())
        activity.place, entry.figures[self.trees] = LONG_WORD[:200], Parsed(1500)
        said = {"actor": author, "version": activity.version, "reason": f"Đếm lại (minh họa) {LONG_WORD}"}
        self.correction = corrections.propose(entry=entry, **said)
        years.set_keeps_approved(year=2024, keeps=False, actor=self.central)

    def measure(self, kind, issuer=None):
        """One of the year's measures, by its kind."""
        found = Measure.objects.filter(kind=kind, target__year=2024)
        return found.filter(target__issuer=issuer or self.k1).order_by("target__number", "letter").first()


def make_newcomers():
    """The day after installing: no year, no unit, a person without a role and the one who sets things up."""
    return make_user("nguoi-moi"), make_user("cai-dat", is_superuser=True)


def make_bare_unit():
    """A unit with nothing to do yet, and its people; the year 2023 was closed before it was there."""
    make_year(2023)
    years.close_year(year=2023)
    make_year(date.today().year)
    unit = make_unit("moi", "doan-khoi", make_unit("goc", "tinh-doan"), name="Đoàn Khối mới lập")
    return {role: make_user(f"{role}-moi", role, unit) for role in access.RoleName}
