"""Which units' reporting about which period the late list shows; the whole state stands in the address."""

from dataclasses import dataclass

from django import forms
from django.http import Http404
from django.utils import timezone

from activities.filters import ListForm
from activities.reporting import lateness, period_states, reminders
from activities.reporting.in_view import in_view
from targets.models import Period, WorkYear
from unionwork.dates import format_date
from units.models import Placement, Unit

MISSING, GIVEN, ON_TIME, EVERY, WAITING = "chua", "da", "dung-han", "phai", "cho-nhan"
EVERY_PERIOD = "tat-ca"
WHICH = {
    MISSING: "Chưa báo cáo",
    GIVEN: "Đã báo cáo",
    ON_TIME: "Báo cáo đúng hạn",
    EVERY: "Phải báo cáo",
    WAITING: "Đã gửi, cấp trên chưa nhận",
}
UNKNOWN = {"invalid_choice": "Chọn trong danh sách."}


class LateForm(ListForm):
    """Which period, how deep, and who of those that have to report."""

    ky = forms.ChoiceField(label="Kỳ báo cáo", error_messages=UNKNOWN)
    tinh_trang = forms.ChoiceField(label="Tình trạng", choices=list(WHICH.items()), error_messages=UNKNOWN)
    ca_cay = forms.BooleanField(label="Gồm mọi cấp bên dưới", required=False)

    def __init__(self, data, *, periods, today):
        latest = lateness.latest_due(periods, today)
        said = data.copy()
        for name, value in (("ky", str(latest.pk) if latest else ""), ("tinh-trang", MISSING)):
            said[name] = said.get(name) or value
        super().__init__(said)
        self.periods = {str(period.pk): period for period in periods}
        names = [(key, f"{reminders.full_name(one)} (hạn {format_date(one.due)})") for key, one in self.periods.items()]
        self.fields["ky"].choices = [*names[::-1], (EVERY_PERIOD, "Mọi kỳ (chỉ báo cáo chờ nhận)")]

    def clean(self):
        said = super().clean()
        if said.get("ky") == EVERY_PERIOD and said.get("tinh_trang") not in (None, WAITING):
            self.add_error("ky", f"Chọn một kỳ: mọi kỳ cùng lúc chỉ xem được với tình trạng “{WHICH[WAITING]}”.")
        return said


@dataclass
class Asked:
    """What the address asks for. `here`: the unit's placement, None when it has none that year; `branch`: of one below
    it, to which the list is narrowed; `period` is None while there is none, every one is looked at, or the form is
    wrong."""

    year: WorkYear | None
    unit: Unit | None
    here: Placement | None
    branch: Placement | None
    form: LateForm
    period: Period | None = None

    def __post_init__(self):
        if self.here and self.form.is_valid():
            self.period = self.form.periods.get(self.form.cleaned_data["ky"])

    @property
    def which(self):
        return self.form.cleaned_data["tinh_trang"]

    @property
    def is_wrong(self):
        """Whether the form was refused; without any period there is nothing to ask."""
        return bool(self.form.periods) and not self.form.is_valid()

    @property
    def is_waiting(self):
        """Whether reports are asked for that wait for a superior, of one period or of all."""
        return self.here is not None and self.form.is_valid() and self.which == WAITING

    @property
    def heading(self):
        """The page's title: "Chưa báo cáo Tháng 10 năm 2026"."""
        if self.is_waiting:
            about = reminders.full_name(self.period) if self.period else f"kỳ năm {self.year}"
            return f"Báo cáo {about} đã gửi, cấp trên chưa nhận"
        if self.period is None:
            return "Tình hình báo cáo kỳ"
        return f"{WHICH[self.which]} {reminders.full_name(self.period)}"

    @property
    def is_deep(self):
        """Whether units of several superiors may stand beside each other."""
        return bool(self.branch or self.form.cleaned_data["ca_cay"])

    def placements(self, user):
        """Of the units among which is looked."""
        if not self.is_deep:
            return lateness.children(user, self.here, self.year)
        found = lateness.below(user, self.here)
        return found.filter(path__startswith=self.branch.path) if self.branch else found

    def chosen(self, placements):
        """Those of `placements` that the list shows, in Vietnamese order, with their superiors."""
        kinds = {
            MISSING: lateness.missing,
            GIVEN: lateness.given,
            ON_TIME: lambda period, places: lateness.given(period, places, on_time=True),
            EVERY: period_states.asked,
        }
        return kinds[self.which](self.period, placements).in_order().select_related("parent")


def asked_for(request):
    """`Asked`. Raises Http404 for a unit, branch or year that is not in sight."""
    today, (year, unit, here) = timezone.localdate(), in_view(request)
    periods = lateness.periods_of(here, today) if here else []
    return Asked(year, unit, here, _branch(request, here), LateForm(request.GET, periods=periods, today=today))


def _branch(request, here):
    code = request.GET.get("nhanh")
    if not code:
        return None
    found = here and lateness.below(request.user, here).select_related("unit").filter(unit__code=code).first()
    if not found:
        raise Http404
    return found
