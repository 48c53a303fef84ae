"""How forms become HTML: our field fragment, and Bootstrap's class on each control."""

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting

CLASSES = (
    ((forms.RadioSelect, forms.CheckboxSelectMultiple), ""),
    (forms.CheckboxInput, "form-check-input"),
    (forms.Select, "form-select"),
)


class StyledField(BoundField):
    def build_widget_attrs(self, attrs, widget=None):
        widget = widget or self.field.widget
        attrs = super().build_widget_attrs(attrs, widget)
        style = next((name for kind, name in CLASSES if isinstance(widget, kind)), "form-control")
        if style and not widget.is_hidden:
            attrs["class"] = f"{widget.attrs.get('class', '')} {style}".strip()
        return attrs


class Renderer(TemplatesSetting):
    form_template_name = "partials/_form.html"
    field_template_name = "partials/_field.html"
    bound_field_class = StyledField
