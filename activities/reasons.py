"""A small page that asks why before a step is taken."""

from django import forms
from django.core.exceptions import ValidationError
from django.shortcuts import render

from activities.review import Changed, WrongState


class ReasonForm(forms.Form):
    """Why: one of the usual reasons, own words, or both. `places`: {id: label} of what it may point at."""

    usual = forms.ChoiceField(label="Lý do thường gặp", required=False, widget=forms.RadioSelect)
    reason = forms.CharField(max_length=400, label="Lý do", required=False, widget=forms.Textarea({"rows": 3}))

    def __init__(self, data=None, *, presets, places=None):
        super().__init__(data)
        self.fields["usual"].choices = [(text, text) for text in presets]
        if places:
            self.fields["place"] = forms.ChoiceField(
                label="Chỗ cần sửa",
                required=False,
                choices=[("", "– theo lý do –"), *places.items()],
                help_text="người ghi mở ra đúng chỗ này",
                widget=forms.Select({"class": "form-select"}),
            )

    def clean(self):
        said = super().clean()
        parts = [said.get("usual", ""), said.get("reason", "").strip()]
        said["why"] = ": ".join(part for part in parts if part)
        return said

    @property
    def answer(self):
        """What the verb is given."""
        said = self.cleaned_data
        return {"reason": said["why"]} | ({"place": said["place"]} if "place" in said else {})


def reason_page(request, form, act, *, template, context, refused, done):
    """The page with `form` until a reason is given; then `act(**form.answer)` and on with `done()`.

    `refused(error)`: the way on when no reason would help, because the state is wrong. 422 with the form's errors, 409
    when what it is about changed since the page was opened: what was typed stays, and is sent again after reading.
    """
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                act(**form.answer)
            except Changed as error:
                form.add_error(None, error.messages)
                status = 409
            except WrongState as error:
                return refused(error)
            except ValidationError as error:
                form.add_error("reason", error.messages)
            else:
                return done()
    return render(request, template, context | {"form": form}, status=status)
