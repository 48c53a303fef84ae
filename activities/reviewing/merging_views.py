"""So sánh và gộp: two records side by side, merged into one joint activity; and taking that back."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect, render

from activities import review
from activities.models import Activity, Status
from activities.reasons import ReasonForm
from activities.reviewing import comparing, merging
from activities.reviewing.deciding_views import say, ways
from unionwork.parameters import way_back, whole_number
from unionwork.policy import policy
from units import access

MERGE_REASONS = ["Hai đơn vị cùng làm một hoạt động", "Ghi trùng"]
NAMES = ("a", "b")


class PairForm(forms.Form):
    """Which two: each by its code (HD-2024-000012) or number, among `records`."""

    a = forms.CharField(max_length=40, label="Mã hoạt động thứ nhất")
    b = forms.CharField(max_length=40, label="Mã hoạt động thứ hai")

    def __init__(self, data, *, records):
        super().__init__(data)
        self.records = records

    def clean(self):
        said, found = super().clean(), {}
        for name in NAMES:
            pk = Activity.pk_of(said.get(name, ""))
            record = self.records.filter(pk=pk).first() if pk else None
            if said.get(name) and record is None:
                self.add_error(name, "Không có hoạt động mã này đang chờ duyệt hoặc đã duyệt trong phần việc của bạn.")
            found[name] = record
        if not self.errors and found["a"] == found["b"]:
            self.add_error("b", "Chọn hai hoạt động khác nhau.")
        return said | {"records": found}


@policy(access.REVIEW, relation="superior", methods="GET POST")
def review_compare(request):
    """GET: `a` and `b` side by side, or which two to compare. POST: merge them (`giu`: the one that stays). 409: one
    of them changed since the page was opened."""
    said = request.POST if request.method == "POST" else request.GET
    records = merging.mergeable_by(request.user).select_related("unit", "kind", "author")
    pair = PairForm(said if any(name in said for name in NAMES) else None, records=records)
    if not pair.is_valid():
        status = 422 if request.method == "POST" else 200
        return render(request, "activities/compare_which.html", {"form": pair}, status=status)
    left, right = (pair.cleaned_data["records"][name] for name in NAMES)
    form, status = ReasonForm(request.POST if request.method == "POST" else None, presets=MERGE_REASONS), 200
    errors = []
    if request.method == "POST":
        status = 422
        keep = {str(left.pk): left, str(right.pk): right}.get(request.POST.get("giu", ""))
        if keep is None:
            errors = [{"id": "giu", "message": "Chọn hoạt động được giữ lại."}]
        elif form.is_valid():
            other = right if keep == left else left
            try:
                seen = {left.pk: _version(said, "va"), right.pk: _version(said, "vb")}
                merging.merge(keep=keep, other=other, actor=request.user, seen=seen, **form.answer)
            except review.Changed as changed:
                errors, status = [{"id": "", "message": message} for message in changed.messages], 409
            except review.WrongState as refused:
                errors = [{"id": "", "message": message} for message in refused.messages]
            except ValidationError as refused:
                form.add_error("reason", refused.messages)
            else:
                messages.success(request, f"Đã gộp {other.code} vào {keep.code}; hai người ghi được báo.")
                # The one looked at stays and still waits: it is shown again, else what follows it.
                stays = keep == left and keep.status == Status.PENDING
                return redirect(ways(request, keep.pk)["leave" if stays else "next"])
    context = {
        "left": left,
        "right": right,
        "lines": comparing.lines(left, right),
        "pair": [(record, said.get("giu") == str(record.pk)) for record in (left, right)],
        "form": form,
        "errors": errors,
        "same_unit": left.unit_id == right.unit_id,
        "way_back": way_back(request),
        "leave": ways(request, left.pk)["leave"],
    }
    return render(request, "activities/compare.html", context, status=status)


def _version(said, name):
    """The version read; 0, which no record has, when that is not said."""
    return whole_number(said.get(name, "")) or 0


@policy(access.REVIEW, relation="superior", methods="POST")
def activity_unmerge(request, pk):
    """Take the merge of this (cancelled) record back."""
    activity = get_object_or_404(Activity.objects.visible_to(request.user), pk=pk)
    if not Activity.objects.decidable_by(request.user).filter(pk=pk).exists():
        raise PermissionDenied
    try:
        merging.unmerge(other=activity, actor=request.user)
    except ValidationError as refused:
        say(request, refused)
    else:
        messages.success(request, f"Đã tách lại {activity.code}: hai hoạt động đứng riêng như trước khi gộp.")
    return redirect("activity_detail", pk=pk)
