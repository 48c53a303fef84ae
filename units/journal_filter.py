"""Which entries the journal shows: the whole state stands in the address, so that a file holds exactly what is seen."""

import re
from datetime import datetime, time, timedelta

from django import forms
from django.db.models import Exists, OuterRef
from django.utils import timezone

from unionwork.dates import format_date
from unionwork.fields import CodeField, VietnameseDateField, check_order
from unionwork.tables import CAP
from unionwork.text import fold
from unionwork.verbs import VERBS, in_words
from units import access
from units.models import JournalEntry, Placement, Unit, User

MOST_PEOPLE = 500  # who answer to one name


class JournalFilter(forms.Form):
    """Narrows the entries that `user` may read."""

    q = forms.CharField(label="Đối tượng, lý do, việc", required=False, max_length=200)
    nguoi = forms.CharField(label="Người làm", required=False, max_length=150)
    don_vi = CodeField(
        label="Đơn vị (tên hoặc mã, gồm cấp dưới)",
        queryset=Unit.objects.none(),
        missing="Không có đơn vị tên hoặc mã này trong phạm vi quản trị của bạn.",
        required=False,
    )
    viec = forms.ChoiceField(
        label="Loại việc", required=False, error_messages={"invalid_choice": "Chọn một loại việc trong danh sách."}
    )
    tu = VietnameseDateField(label="Từ ngày", required=False)
    den = VietnameseDateField(label="Đến ngày", required=False)

    def __init__(self, data, *, user):
        super().__init__(data)
        self.fields["don_vi"].queryset = Unit.objects.reached(user, access.MANAGE_PEOPLE)
        self.mine = JournalEntry.objects.visible_to(user)
        recent = set(self._recent_verbs())
        self.codes = {}
        for code in recent | VERBS.keys():
            self.codes.setdefault(in_words(code), []).append(code)
        lately = {in_words(code) for code in recent}
        others = ("Việc khác", _options(self.codes.keys() - lately))
        self.fields["viec"].choices = [("", "Mọi việc"), *_options(lately), others]

    def add_prefix(self, field_name):
        """Parameters as people see them in the address: don-vi."""
        return field_name.replace("_", "-")

    def _recent_verbs(self):
        """The verbs of the latest entries, as many as a list counts: the whole journal is not read for a menu."""
        recent = self.mine.order_by("-at", "-pk").values("pk")[:CAP]
        found = JournalEntry.objects.filter(pk__in=recent).order_by("verb").values_list("verb", flat=True)
        return found.distinct()

    def clean(self):
        said = super().clean()
        check_order(self)
        return said

    def found(self):
        """The entries, the latest first. None at all when a parameter is wrong: a wider list would be taken for the
        answer."""
        if not self.is_valid():
            return self.mine.none()
        said, rows = self.cleaned_data, self.mine.matching(self.cleaned_data["q"])
        if wanted := _words(said["q"]):
            acts = [code for words, codes in self.codes.items() if wanted <= _words(words) for code in codes]
            rows |= self.mine.filter(verb__in=acts)
        if said["nguoi"]:
            rows = rows.filter(actor__in=_people(said["nguoi"]))
        if said["don_vi"]:
            rows = rows.filter(unit__in=_subtree(said["don_vi"]))
        if said["viec"]:
            rows = rows.filter(verb__in=self.codes[said["viec"]])
        if said["tu"]:
            rows = rows.filter(at__gte=_midnight(said["tu"]))
        if said["den"]:
            rows = rows.filter(at__lt=_midnight(said["den"] + timedelta(days=1)))
        return rows.for_list()

    def chips(self):
        """[(label, shown value, address without it)] of what narrows the list."""
        if not self.is_valid():
            return []
        for name, value in self.cleaned_data.items():
            if value in (None, ""):
                continue
            field = self.fields[name]
            rest = self.data.copy()
            for key in (self.add_prefix(name), "page"):
                rest.pop(key, None)
            shown = format_date(value) if isinstance(field, VietnameseDateField) else str(value)
            yield field.label, shown, rest.urlencode()


def _options(words):
    return [(each, each) for each in sorted(words, key=fold)]


def _people(text):
    """Ids of those who did something and have this user name, or these words in their name (without dấu)."""
    wrote = JournalEntry.objects.filter(actor=OuterRef("pk"))
    words, username = _words(text), text.strip().casefold()
    people = User.objects.filter(Exists(wrote)).order_by("pk").values_list("pk", "username", "full_name")
    found = (
        pk for pk, name, full_name in people if name.casefold() == username or (words and words <= _words(full_name))
    )
    return list(found)[:MOST_PEOPLE]


def _words(text):
    """The words of a text, without dấu and marks."""
    return set(re.findall(r"\w+", fold(text)))


def _subtree(unit):
    """The unit and what stands below it today."""
    here = Placement.objects.current().filter(unit=unit).values_list("path", flat=True).first()
    return Placement.objects.current().below(here).values("unit_id") if here else [unit.pk]


def _midnight(day):
    """The moment at which a day begins here."""
    return timezone.make_aware(datetime.combine(day, time.min))
