"""Forms of units. What was typed stays; the verbs in `units.organising` judge it."""

from django import forms
from django.core.exceptions import ValidationError

from unionwork.fields import VietnameseDateField
from units import organising
from units.models import Unit, UnitKind


def show_refusal(form, refused):
    """Puts a verb's ValidationError beside the fields it names; what names none stands above the form."""
    named = refused.message_dict if hasattr(refused, "error_dict") else {None: refused.messages}
    for field, messages in named.items():
        for message in messages:
            form.add_error(field if field in form.fields else None, message)


class UnitForm(forms.Form):
    """A new unit; its superior stands in the address."""

    code = forms.CharField(
        label="Mã",
        max_length=30,
        help_text="Chữ cái không dấu, chữ số và . - _; dùng trong tệp Excel và không đổi về sau. Ví dụ DK-TINH.01",
        error_messages={"required": "Nhập mã đơn vị."},
    )
    name = forms.CharField(
        label="Tên đầy đủ",
        max_length=Unit._meta.get_field("name").max_length,
        error_messages={"required": "Nhập tên đơn vị."},
    )
    short_name = forms.CharField(
        label="Tên ngắn",
        max_length=Unit._meta.get_field("short_name").max_length,
        required=False,
        help_text="Dùng ở bảng và trên điện thoại.",
    )
    kind = forms.ModelChoiceField(
        label="Loại",
        queryset=UnitKind.objects.all(),
        empty_label="Chọn loại đơn vị",
        error_messages={"required": "Chọn loại đơn vị.", "invalid_choice": "Chọn một loại trong danh sách."},
    )
    sector = forms.CharField(
        label="Khối đối tượng",
        max_length=Unit._meta.get_field("sector").max_length,
        required=False,
        help_text="Ví dụ trường học, doanh nghiệp: chỉ tiêu có thể chỉ tính đơn vị của một khối.",
    )
    founded = VietnameseDateField(label="Ngày thành lập", required=False)

    def clean_code(self):
        code = self.cleaned_data["code"]
        try:
            organising.check_code(code)
        except ValidationError as refused:
            raise ValidationError(refused.messages) from refused
        return code


class RenameForm(forms.Form):
    """`was`: the name when the form was opened, so that two people do not overwrite each other."""

    name = UnitForm.base_fields["name"]
    short_name = UnitForm.base_fields["short_name"]
    was = forms.CharField(widget=forms.HiddenInput, max_length=200, required=False)
