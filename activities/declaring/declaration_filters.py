"""Whose declarations of which days the overview shows; the whole state stands in the address."""

from django import forms

from activities import quarters
from activities.filters import ListForm
from unionwork.dates import format_date
from unionwork.fields import VietnameseDateField
from unionwork.text import fold

DONE, LACKING = "da", "chua"


class DeclaredForm(ListForm):
    """A quarter of the work year or days of one's own, which go before it; who has declared; a unit's name."""

    quy = forms.ChoiceField(label="Quý", required=False)
    tu = VietnameseDateField(label="Số liệu từ ngày", required=False)
    den = VietnameseDateField(label="Số liệu đến ngày", required=False)
    tinh_trang = forms.ChoiceField(
        label="Tình trạng",
        required=False,
        choices=[("", "Tất cả"), (DONE, "Đã kê khai đủ"), (LACKING, "Chưa kê khai đủ")],
    )
    q = forms.CharField(label="Tìm đơn vị", required=False, max_length=200)

    def __init__(self, data, *, year):
        super().__init__(data)
        self.quarters = {str(quarter.number): quarter for quarter in quarters.quarters(year)} if year else {}
        choices = [(number, f"{one.name} (đến {format_date(one.last_day)})") for number, one in self.quarters.items()]
        self.fields["quy"].choices = [("", "Cả năm"), *choices]

    def clean(self):
        said = super().clean()
        if said.get("tu") and said.get("den") and said["tu"] > said["den"]:
            self.add_error("den", "Ngày cuối phải sau hoặc trùng ngày đầu.")
        return said

    @property
    def days(self):
        """(since, until), each None for no bound. Only for a valid form."""
        said = self.cleaned_data
        if said["tu"] or said["den"]:
            return said["tu"], said["den"]
        quarter = self.quarters.get(said["quy"])
        return (quarter.first_day, quarter.last_day) if quarter else (None, None)

    @property
    def period(self):
        """The days in words: "quý I", "từ 01/02/2024 đến 31/03/2024"; "" for the whole year."""
        said = self.cleaned_data
        if said["tu"] or said["den"]:
            words = (("từ", said["tu"]), ("đến", said["den"]))
            return " ".join(f"{word} {format_date(day)}" for word, day in words if day)
        return f"q{self.quarters[said['quy']].name[1:]}" if said["quy"] else ""

    @property
    def is_narrowed(self):
        return self.is_valid() and any(self.cleaned_data.values())

    def chosen(self, rows):
        """Those of `rows` (`declared.Row`) that the form asks for."""
        wanted, words = self.cleaned_data["tinh_trang"], fold(self.cleaned_data["q"]).split()
        return [row for row in rows if row.matches(words) and wanted in ("", DONE if row.is_complete else LACKING)]
