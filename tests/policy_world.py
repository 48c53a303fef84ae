"""The organisation of the permission tests: every unit has records in every state, targets and a person of its own,
and each of these texts carries a mark that names the unit, so that a leak shows.

    tw ─ p1 ─ k1 ─ b11 ─ c111        what stands where, seen from k1:  own k1, child b11, parent p1,
       │    │    └ b12                                                 sibling k1s, other_province k2
       │    └ k1s                    seen from b11: own b11, child c111, parent k1, sibling b12, other_province b21
       └ p2 ─ k2 ─ b21
"""

import re
import uuid
from datetime import date, timedelta

from django.core.files.base import ContentFile
from django.utils import timezone

from activities import review
from activities.models import ActivityKind, Evidence, FormDraft, PeriodReport, SavedFilter, Unlock
from activities.rules import Rules, entry_of
from activities.writing import corrections
from targets.models import Decision, MeasureKind, Period
from targets.years import set_keeps_approved
from tests.factories import (
    approve,
    grant,
    make_activity,
    make_indicator,
    make_kind,
    make_target,
    make_unit,
    make_user,
    make_year,
)
from units import access
from units.models import Notice

TREE = {
    "tw": ("trung-uong", None),
    "p1": ("tinh-doan", "tw"),
    "p2": ("tinh-doan", "tw"),
    "k1": ("doan-khoi", "p1"),
    "k1s": ("doan-khoi", "p1"),
    "k2": ("doan-khoi", "p2"),
    "b11": ("doan-co-so", "k1"),
    "b12": ("doan-co-so", "k1"),
    "b21": ("doan-co-so", "k2"),
    "c111": ("chi-doan", "b11"),
}
SUPERIORS = {"k1": ("p1", "tw"), "b11": ("k1", "p1", "tw")}
INSIDE = {"k1": ("k1", "b11", "b12", "c111"), "b11": ("b11", "c111")}
FROM_K1 = {"own": "k1", "child": "b11", "parent": "p1", "sibling": "k1s", "other_province": "k2"}
FROM_B11 = {"own": "b11", "child": "c111", "parent": "k1", "sibling": "b12", "other_province": "b21"}
RELATIONS = tuple(FROM_K1)
ROLES = ("anonymous", "none", "cadre", "secretary", "staff", "admin", "viewer", "superuser")
HOME = {"cadre": "b11", "secretary": "k1", "staff": "k1", "admin": "k1", "viewer": "k1"}

# What a mark tells: the unit's name or code, a record, a target, a person.
NAME, RECORD, TARGET, PERSON = "dauten", "dauviec", "dauchitieu", "daunguoi"
_MARK = re.compile(f"({NAME}|{RECORD}|{TARGET}|{PERSON})-([a-z0-9]+)z")


def mark(what, code):
    return f"{what}-{code}z"


def marks_in(text):
    """{(what, unit code)} that a text gives away."""
    return set(_MARK.findall(text))


def unit_code(code):
    """A unit's real code carries the mark too."""
    return mark(NAME, code)


class PolicyWorld:
    def __init__(self):
        self.year = make_year(date.today().year)
        make_year(2024)
        self.units = {}
        for code, (kind, parent) in TREE.items():
            name = f"Đơn vị {mark(NAME, code)}"
            self.units[code] = make_unit(unit_code(code), kind, self.units.get(parent), name=name)
        self.writer = make_user("writer", full_name="Người ghi")
        self.approver = make_user("approver", access.SECRETARY, self.units["tw"], full_name="Người duyệt")
        self.trees = make_indicator("thu-cay")
        self.members = make_indicator("thu-doan-vien", "stock")
        self.kind = make_kind("thu-trong-cay", [self.trees])
        self.declaring = make_kind("thu-ke-khai", [self.members], nature="stock")
        self.milestones = ActivityKind.objects.filter(nature="milestone")
        self.records, self.targets, self.totals, self.dates, self.evidence = {}, {}, {}, {}, {}
        self.decisions, self.shared_filters, self.corrections = {}, {}, {}
        self.reports, self.campaigns, self.unlocks = {}, {}, {}
        self.month = Period.objects.get(year=self.year, kind="month", number=timezone.localdate().month)
        for code in TREE:
            self._fill(code)
        self._correct()
        self._join()
        self._people()

    def _record(self, code, kind=None, figures=None, hosts=(), text=None):
        text = text or f"Việc {mark(RECORD, code)}"
        return make_activity(
            self.units[code],
            self.writer,
            kind or self.kind,
            figures or {self.trees: 5},
            date(self.year.pk, 1, 1),
            [self.units[host] for host in hosts],
            title=text,
            place=text,
            description=text,
        )

    def _fill(self, code):
        for state in ("draft", "pending", "approved", "cancelled"):
            activity = self.records[code, state] = self._record(code)
            if state == "pending":
                review.submit(activity=activity, actor=self.writer)
            elif state == "approved":
                approve(activity, self.approver)
            elif state == "cancelled":
                review.cancel(activity=activity, actor=self.writer)
        self.evidence[code] = self._evidence(code)
        self.shared_filters[code] = SavedFilter.objects.create(
            user=self.writer, name=f"Bộ lọc {mark(NAME, code)}", query="q=viec", unit=self.units[code]
        )
        approve(self._record(code, self.declaring, {self.members: 9}), self.approver)
        text = f"Chỉ tiêu {mark(TARGET, code)}"
        target = make_target(
            self.units[code],
            self.year,
            [
                {"kind": MeasureKind.TOTAL, "value": 100, "indicators": [self.trees], "text": text},
                {"kind": MeasureKind.MILESTONE, "deadline": date(self.year.pk, 5, 31), "text": text},
            ],
            text=text,
        )
        self.targets[code] = target
        self.totals[code], self.dates[code] = target.measures.order_by("letter")
        self.decisions[code] = Decision.objects.create(
            giver=self.units[code],
            year=self.year,
            number=mark(TARGET, code),
            day=date(self.year.pk, 1, 2),
            actor=self.writer,
            file=ContentFile(b"%PDF-1.5", name="quyet-dinh.pdf"),
            file_name="quyet-dinh.pdf",
            content_type="application/pdf",
        )
        self._say(code)
        make_user(f"person-{code}", access.CADRE, self.units[code], full_name=f"Bạn {mark(PERSON, code)}")

    def _say(self, code):
        """A word about the month that runs, which waits for the superior; and a campaign for everything below."""
        text = f"Khó khăn {mark(RECORD, code)}"
        said = {"unit": self.units[code], "year": self.year, "actor": self.writer, "nothing": False}
        now = timezone.now()
        self.reports[code] = PeriodReport.objects.create(
            period=self.month, difficulties=text, proposals=text, at=now, first_at=now, **said
        )
        days = {"first_day": self.month.first_day, "last_day": self.month.last_day}
        until = {"until": now + timedelta(days=1), "reason": text, "actor": self.writer}
        self.unlocks[code] = Unlock.objects.create(unit=self.units[code], year=self.year, **days, **until)
        days["due"] = self.month.due
        name = f"Đợt {mark(TARGET, code)}"
        self.campaigns[code] = Period.objects.create(
            year=self.year, kind="campaign", number=1, issuer=self.units[code], name=name, **days
        )

    def _correct(self):
        """A correction of each unit's approved record waits beside it."""
        set_keeps_approved(year=self.year.pk, keeps=True, actor=None)
        rules = Rules()
        for code in TREE:
            activity = self.records[code, "approved"]
            entry = entry_of(activity, rules)
            activity.place = text = f"Sửa {mark(RECORD, code)}"
            said = {"actor": self.writer, "version": activity.version, "reason": text}
            self.corrections[code] = corrections.propose(entry=entry, **said)
        set_keeps_approved(year=self.year.pk, keeps=False, actor=None)

    def _evidence(self, code):
        draft, text = self.records[code, "draft"], mark(RECORD, code)
        return Evidence.objects.create(
            key=uuid.uuid4(),
            form_key=draft.form_key,
            activity=draft,
            file=ContentFile(text.encode(), "x"),
            thumbnail=ContentFile(text.encode(), "x"),
            name=f"{text}.jpg",
            content_type="image/jpeg",
            size=len(text),
            sha256="0" * 64,
            uploader=self.writer,
        )

    def _join(self):
        """One joint activity across provinces: its hosts see each other's names and the record."""
        self.joint = self._record("b21", hosts=["b11"], text="Việc chung")
        review.submit(activity=self.joint, actor=self.writer)
        # And one of Trung ương with each unit, so that whoever sees it sees it as that unit's.
        self.invited = {}
        for code in TREE:
            if code != "tw":
                activity = self._record("tw", hosts=[code], text="Việc cùng Trung ương")
                review.submit(activity=activity, actor=self.writer)
                self.invited[code] = activity.hosts.get()

    def _people(self):
        self.users = {"none": make_user("none"), "superuser": make_user("root", is_superuser=True)}
        for role, code in HOME.items():
            self.users[role] = make_user(role, access.RoleName(role), self.units[code])
        # Beside the table: somebody who only looks on at k1, a secretary of a base unit, and a secretary's own record.
        both = self.users["two_roles"] = make_user("two-roles", access.VIEWER, self.units["k1"])
        for role in (access.CADRE, access.SECRETARY, access.STAFF, access.ADMIN):
            grant(both, role, self.units["k1s"])
        self.users["base_secretary"] = make_user("base-secretary", access.SECRETARY, self.units["b11"])
        self.typing = FormDraft.objects.create(key=uuid.uuid4(), user=self.users["cadre"], title="Đang nhập")
        self.saved_filter = SavedFilter.objects.create(user=self.users["cadre"], name="Của tôi", query="q=viec")
        self._notices()
        secretary = self.users["secretary"]
        self.own_work = make_activity(
            self.units["k1"], secretary, self.kind, {self.trees: 5}, date(self.year.pk, 1, 1), title="Việc tự ghi"
        )
        review.submit(activity=self.own_work, actor=secretary)

    def _notices(self):
        """Each role was told of the own unit, and of one that left its scope since."""
        for role, code in HOME.items():
            strange = (FROM_B11 if code == "b11" else FROM_K1)["sibling"]
            told = [
                Notice(user=self.users[role], unit=self.units[of], kind="reminded", show_at=timezone.now(), text=text)
                for of, text in ((code, "Nhắc"), (strange, f"Nhắc {mark(RECORD, strange)}"))
            ]
            Notice.objects.bulk_create(told)
        self.notice = Notice.objects.get(user=self.users["cadre"], text="Nhắc")

    def at(self, role, relation):
        """Code of the unit that stands in this relation to the role's own unit."""
        return (FROM_B11 if HOME.get(role) == "b11" else FROM_K1)[relation]
