"""Forms of the reporting periods. What they may hold, `targets.periods` says."""

from django import forms

from targets import periods
from targets.models import reporting_levels
from unionwork.fields import VietnameseDateField

NO_DAY = {"required": "Nhập ngày, ví dụ 01/07/2024."}


class PeriodForm(forms.Form):
    """When a standard period is due, and who has to report. Of one that is there already (`period`) it carries what was
    shown, so that nothing is written over that another person has changed since (`seen`)."""

    due = VietnameseDateField(
        label="Hạn nộp",
        needs_year=True,
        help_text="Ngày cuối cùng còn được coi là đúng hạn.",
        error_messages=NO_DAY,
    )
    grace = forms.IntegerField(
        label="Số ngày gia hạn",
        min_value=0,
        max_value=periods.LONGEST_GRACE,
        widget=forms.TextInput({"inputmode": "numeric"}),
        help_text="Sau hạn ngần ấy ngày mới coi là trễ; số ngày sau hạn vẫn được ghi lại.",
    )
    is_asked = forms.BooleanField(label="Các đơn vị phải báo cáo kỳ này", required=False)
    levels = forms.MultipleChoiceField(
        label="Cấp phải báo cáo",
        required=False,
        choices=[(level.value, level.label) for level in periods.LEVELS],
        widget=forms.CheckboxSelectMultiple,
    )
    alike = forms.BooleanField(
        label="Đặt như vậy cho mọi kỳ cùng loại trong năm (hạn cách ngày cuối kỳ bằng nhau)", required=False
    )

    is_stale = False

    def __init__(self, data=None, *, period=None):
        super().__init__(data and data.copy(), initial=initial_of(period))
        for name in self.initial if period else ():
            if name in self.fields:
                self.fields[name].show_hidden_initial = True

    @property
    def seen(self):
        """{field: value} that the page showed, None for one that cannot be read; None when the page said nothing."""
        carried = [name for name, field in self.fields.items() if field.show_hidden_initial]
        if not any(self.add_initial_prefix(name) in self.data for name in carried):
            return None
        return {name: self._seen(name) for name in carried}

    def _seen(self, name):
        field = self.fields[name]
        said = field.hidden_widget().value_from_datadict(self.data, self.files, self.add_initial_prefix(name))
        try:
            return field.to_python(said)
        except forms.ValidationError:
            return None

    def show(self, period):
        """What was typed stays; what the next press says was shown is `period` as it is now."""
        for name, value in initial_of(period).items():
            if name in self.fields:
                value = self.fields[name].prepare_value(value)
                self.data.setlist(self.add_initial_prefix(name), value if isinstance(value, list) else [value])


class CampaignForm(PeriodForm):
    """A campaign: its name and days too. `level`: of the unit that sets it; only those below may be asked."""

    name = forms.CharField(
        label="Tên đợt",
        max_length=100,
        help_text="Ví dụ: Tháng Thanh niên, Chiến dịch hè.",
        error_messages={"required": "Ghi tên đợt."},
    )
    first_day = VietnameseDateField(label="Từ ngày", needs_year=True, error_messages=NO_DAY)
    last_day = VietnameseDateField(label="Đến ngày", needs_year=True, error_messages=NO_DAY)
    is_asked = alike = None

    def __init__(self, *args, level, **kwargs):
        super().__init__(*args, **kwargs)
        below = periods.levels_below(level)
        self.fields["levels"].choices = [(each.value, each.label) for each in below]
        self.fields["levels"].initial = [each.value for each in below if each in reporting_levels()] or below[:1]

    field_order = ["name", "first_day", "last_day", "due", "grace", "levels"]


def initial_of(period):
    """What a form shows of a period; of a campaign that is not there yet what is usual."""
    if period is None:
        return {"grace": 3}
    names = ("name", "first_day", "last_day", "due", "grace", "is_asked", "levels")
    return {name: getattr(period, name) for name in names}
