"""What people fill in to write a record down."""

from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import cached_property

from activities.contributions import contributions
from activities.models import Activity, RecordNature, Status, WorkLevel
from activities.writing.record_form import MOST_FOUND, MOST_HOSTS, AskingForm, HostsField, RecordForm, units_by_code
from unionwork.dates import format_date
from unionwork.fields import VietnameseDateField
from units.models import Placement, Unit

DAYS_AGO = {"hom-nay": 0, "hom-qua": 1}


@dataclass(frozen=True)
class Partner:
    """A further host and its superior today, to tell units of one name apart."""

    unit: Unit
    parent: Unit | None


class ActivityForm(AskingForm):
    kind = forms.CharField(max_length=40, label="Loại", error_messages={"required": "Chọn loại hoạt động."})
    first_day = VietnameseDateField(label="Ngày", error_messages={"required": "Nhập ngày, ví dụ 26/03/2024."})
    last_day = VietnameseDateField(label="Đến ngày (nếu có)", required=False)
    title = forms.CharField(max_length=200, label="Tên", required=False, help_text="gợi ý theo loại, sửa được")
    work_level = forms.ChoiceField(label="Cấp công trình", required=False, help_text="cần có khi gửi duyệt")
    place = forms.CharField(max_length=200, label="Địa điểm", required=False)
    hosts = HostsField(label="Phối hợp với", required=False)
    description = forms.CharField(max_length=4000, label="Ghi chú", required=False, widget=forms.Textarea({"rows": 3}))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("first_day", timezone.localdate())
        self.fields["work_level"].choices = [("", "– chọn cấp –"), *WorkLevel.choices]
        self._press_day()
        if self.kind_chosen:
            self.fields["title"].widget.attrs["placeholder"] = self.suggested_title
        self.takes_suggestion = self._is_title_ours()
        if self.takes_suggestion:
            self.initial["title"] = self.suggested_title
        self._find_hosts()

    def _press_day(self):
        """The buttons beside the day, without JavaScript. They write a date into the box: a word that is read when the
        form arrives would mean another day when the phone sends it tomorrow."""
        pressed = self.source.get("ngay") if self.source is not None else None
        if not self.is_bound and pressed in DAYS_AGO:
            self.initial["first_day"] = timezone.localdate() - timedelta(days=DAYS_AGO[pressed])

    @property
    def day_buttons(self):
        """[(value, label, the date it stands for)]"""
        today = timezone.localdate()
        labels = {"hom-nay": "Hôm nay", "hom-qua": "Hôm qua"}
        return [(name, labels[name], format_date(today - timedelta(days=ago))) for name, ago in DAYS_AGO.items()]

    @property
    def today(self):
        return timezone.localdate().isoformat()

    @cached_property
    def year_typed(self):
        """The work year of the days as they stand in the boxes, or None."""
        for name in ("last_day", "first_day"):
            try:
                day = self.fields[name].to_python(self[name].value())
            except ValidationError:
                return None
            if day:
                return self.rules.year_of(day)
        return None

    @cached_property
    def suggested_title(self):
        """The kind, from the unit's second of the year on with its number: "Hiến máu tình nguyện đợt 2"."""
        kind = self.kind_chosen
        if kind is None or self.activity is not None:
            return kind.name if kind else ""
        before = Activity.objects.filter(unit=self.unit_chosen, kind=kind, year=self.year_typed)
        count = before.exclude(status=Status.CANCELLED).count() if self.unit_chosen and self.year_typed else 0
        word = "số" if kind.has_work_level else "đợt"
        return f"{kind.name} {word} {count + 1}" if count else kind.name

    def _is_title_ours(self):
        """Whether the title is still what the form itself put there."""
        if self.is_bound or self.activity is not None:
            return False
        typed = self.initial.get("title") or ""
        return typed == "" or (self.source is not None and typed == self.source.get("ten-goi-y"))

    @cached_property
    def feeds(self):
        """Tính vào: what the figures as typed will feed, those the system counts included."""
        figures = dict(self.typed_figures)
        if self.kind_chosen:
            level = self["work_level"].value() or ""
            draft = Activity(kind=self.kind_chosen, work_level=level)
            figures |= dict.fromkeys(self.rules.counted(draft), 1)
        indicators = {indicator.pk: indicator for indicator in self.indicators.values()}
        return contributions(self.unit_chosen, self.year_typed, figures, indicators)

    def _saved(self, entry):
        activity = entry.activity
        lasts = activity.last_day != activity.first_day
        return super()._saved(entry) | {
            "first_day": activity.first_day,
            "last_day": activity.last_day if lasts else None,
            "title": activity.title,
            "work_level": activity.work_level,
            "place": activity.place,
            "hosts": [unit.code for unit in entry.hosts],
            "description": activity.description,
        }

    def _chosen_kind(self):
        code = self.initial.get("kind") if self.source is None else self.source.get("kind")
        return next((kind for kind in self.kinds() if kind.code == code), None)

    def _find_hosts(self):
        """Chosen partners (ticked) and what the search box finds, as `units.views.unit_search` shows them."""
        codes = self.initial.get("hosts", []) if self.source is None else self.source.getlist("hosts")
        codes = [code for code in codes if "\0" not in code]
        self.host_query = "" if self.source is None else self.source.get("q", "").replace("\0", "").strip()
        self.hosts_chosen, self.hosts_found = [], []
        places = Placement.objects.current().select_related("parent")
        if codes:
            units = list(units_by_code(codes[:MOST_HOSTS]))
            parents = {row.unit_id: row.parent for row in places.filter(unit__in=units)}
            self.hosts_chosen = [Partner(unit, parents.get(unit.pk)) for unit in units]
        if self.host_query:
            found = places.filter(unit__in=Unit.objects.matching(self.host_query)).exclude(unit__code__in=codes)
            self.hosts_found = list(found.select_related("unit").order_by("unit__sort", "unit_id")[:MOST_FOUND])

    def layout(self):
        """What stands open: six kinds, those the unit uses most first, the rest folded away unless one is chosen."""
        used = Activity.objects.most_used_kinds(self.unit_chosen)
        kinds = sorted(self.kinds(), key=lambda kind: -used.get(kind.pk, 0))
        details = ("place", "hosts", "description")
        filled = any(self[name].value() or (self.is_bound and self[name].errors) for name in details)
        return {
            "kinds_first": kinds[:6],
            "kinds_more": kinds[6:],
            "more_is_open": self.kind_chosen in kinds[6:],
            "details_are_open": filled or bool(self.host_query),
        }

    def clean_kind(self):
        if self.kind_chosen is None:
            raise ValidationError("Chọn loại hoạt động.")
        return self.kind_chosen

    def clean(self):
        said = super().clean()
        if said.get("first_day") and "last_day" in said and not said["last_day"]:
            said["last_day"] = said["first_day"]
        return said

    def entry(self, activity):
        said = self.cleaned_data
        activity.first_day, activity.last_day = said["first_day"], said["last_day"]
        activity.title = said["title"] or self.suggested_title
        activity.place, activity.description = said["place"], said["description"]
        activity.work_level = said["work_level"] if self.kind_chosen.has_work_level else ""
        return super().entry(activity)

    def add_error(self, field, error):
        """What is wrong with the last day stands at the only day that was typed."""
        if field == "last_day" and not self.data.get("last_day"):
            field = "first_day"
        super().add_error(field, error)


class MilestoneForm(RecordForm):
    """Hoàn thành mốc: when, and by which document."""

    last_day = VietnameseDateField(label="Ngày hoàn thành", error_messages={"required": "Nhập ngày, ví dụ 31/05/2024."})
    document = forms.CharField(
        max_length=200, label="Số, ngày văn bản", required=False, help_text="cần có khi gửi duyệt"
    )
    description = forms.CharField(max_length=4000, label="Ghi chú", required=False, widget=forms.Textarea({"rows": 3}))

    nature = RecordNature.MILESTONE

    def __init__(self, *args, measure, **kwargs):
        self.measure = measure
        super().__init__(*args, **kwargs)
        self.initial.setdefault("last_day", timezone.localdate())

    def _saved(self, entry):
        activity = entry.activity
        return super()._saved(entry) | {"document": activity.document, "description": activity.description}

    def entry(self, activity):
        said = self.cleaned_data
        activity.first_day = activity.last_day = said["last_day"]
        activity.milestone = self.measure
        activity.title = (self.measure.text or self.measure.target.text)[:200]
        activity.document, activity.description = said["document"], said["description"]
        return super().entry(activity)
