"""Sửa & duyệt: the figures of a record as its reviewer puts them right."""

from django import forms

from activities.reviewing.correcting import NO_REASON
from activities.rules import entry_of
from activities.writing.record_form import FIGURE
from unionwork.fields import FigureField


class CorrectionForm(forms.Form):
    """A box for each typed figure, beside what the unit wrote; `version`: the one the reviewer read."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=10**9)

    def __init__(self, data=None, *, activity, rules):
        super().__init__(data, initial={"version": activity.version})
        said = entry_of(activity, rules).figures
        self.indicators = list(dict.fromkeys([*(row.indicator for row in rules.asked(activity)), *said]))
        for indicator in self.indicators:
            written = said.get(indicator)
            words = "chưa ghi" if written is None else f"{written.word} {indicator.format(written.value)}".strip()
            self.fields[FIGURE + indicator.code] = FigureField(
                decimals=indicator.decimals,
                unit=indicator.unit_of_measure,
                label=indicator.name,
                help_text=f"đơn vị ghi: {words}",
                required=False,
            )
            if written is not None:
                self.initial[FIGURE + indicator.code] = written
        self.fields["reason"] = forms.CharField(
            max_length=400,
            label="Lý do sửa",
            widget=forms.Textarea({"rows": 2}),
            help_text="người ghi sẽ thấy lý do này",
        )
        self.fields["reason"].error_messages["required"] = NO_REASON

    @property
    def figures(self):
        """The boxes, in order."""
        return [self[FIGURE + indicator.code] for indicator in self.indicators]

    @property
    def typed(self):
        """[(name, text)] of what was typed, to be sent again when it is confirmed."""
        names = [*(FIGURE + indicator.code for indicator in self.indicators), "reason"]
        return [(name, self.data[name]) for name in names if name in self.data]

    @property
    def answer(self):
        """What the verb is given. A box that was not sent stays as it is: only an emptied one takes its figure away."""
        said = self.cleaned_data
        sent = [indicator for indicator in self.indicators if FIGURE + indicator.code in self.data]
        figures = {indicator: said[FIGURE + indicator.code] for indicator in sent}
        return {"figures": figures, "reason": said["reason"], "seen": said["version"]}

    def take(self, error):
        """Show what the verb refused beside the box it concerns."""
        fields = error.message_dict if hasattr(error, "error_dict") else {None: error.messages}
        for name, messages in fields.items():
            place = next((place for place in (name, f"{FIGURE}{name}") if place in self.fields), None)
            for message in messages:
                self.add_error(place, message)
