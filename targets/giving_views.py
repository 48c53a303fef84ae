"""Ban hành: what waits to be issued, the decisions made, and throwing a draft away."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from targets import giving, issuing
from targets.assignment_views import shared_measure
from targets.forms import show_refusal
from targets.in_view import address, unit_in_view
from targets.models import AssignmentVersion, Decision, DraftAssignment, Target
from targets.setting import Stale
from targets.wording import plan_in_words
from targets.years import chosen_year
from unionwork import uploads
from unionwork.fields import VietnameseDateField
from unionwork.policy import policy
from units import access
from units.models import Unit


class IssueForm(forms.Form):
    number = forms.CharField(label="Số quyết định", max_length=50, help_text="Ví dụ: 15-QĐ/ĐTN")
    day = VietnameseDateField(label="Ngày quyết định", help_text="Các số có hiệu lực từ ngày này.")
    reason = forms.CharField(
        label="Lý do điều chỉnh", max_length=300, required=False, help_text="Cần ghi khi một số đã giao bị sửa."
    )
    file = forms.FileField(
        label="Tệp quyết định", required=False, help_text="PDF, Word, Excel hoặc ảnh chụp, nhiều nhất 10 MB."
    )

    def clean_file(self):
        """An `unionwork.uploads.Upload`, or None."""
        sent = self.cleaned_data.get("file")
        return uploads.accept(sent) if sent else None


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def issue(request):
    """Everything of the unit in view that units below do not have yet, ticked; confirmed with a decision."""
    year = chosen_year(request)
    unit = unit_in_view(request, access.SET_TARGETS)
    if year is None or not year.is_open:
        return render(request, "targets/year_closed.html", {"year": year, "unit": unit})
    targets, proposals = list(issuing.unissued(unit, year)), issuing.proposals(unit, year)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = IssueForm(*sent, initial={"day": timezone.localdate()})
    chosen = _chosen(request, targets, proposals)
    if request.method == "POST" and form.is_valid():
        try:
            decision = _issue(request, unit, year, chosen, form.cleaned_data)
        except ValidationError as refused:
            show_refusal(form, refused)
            if isinstance(refused, Stale):
                proposals = issuing.proposals(unit, year)
        else:
            messages.success(request, f"Đã ban hành quyết định {decision}. Đơn vị cấp dưới đã thấy số mới.")
            return redirect("decision_detail", decision.pk)
    context = {
        "year": year,
        "unit": unit,
        "form": form,
        "targets": [{"target": row, "ticked": row in chosen[0]} for row in targets],
        "proposals": [_shown(row, row in chosen[1], unit, year) for row in proposals],
        "asks_reason": any(row.replaces for row in proposals),
        "decisions": Decision.objects.visible_to(request.user).filter(giver=unit, year=year),
        "list_url": address("target_list", year=year, unit=unit),
    }
    return render(request, "targets/issue.html", context, status=422 if form.errors else 200)


def _chosen(request, targets, proposals):
    """([Target], [Proposal]) that are ticked; at first all, or the one measure of `?y=`."""
    if request.method == "POST":
        ticked = {name: set(request.POST.getlist(name)) for name in ("chi-tieu", "y")}
    elif request.GET.get("y"):
        ticked = {"chi-tieu": set(), "y": {request.GET["y"]}}
    else:
        return targets, proposals
    return (
        [row for row in targets if str(row.pk) in ticked["chi-tieu"]],
        [row for row in proposals if str(row.measure.pk) in ticked["y"]],
    )


def _issue(request, unit, year, chosen, cleaned):
    targets, proposals = chosen
    if not targets and not proposals:
        raise ValidationError("Chọn ít nhất một chỉ tiêu để ban hành.")
    measures = [row.measure for row in proposals]
    return issuing.issue_seen(
        giver=unit,
        year=year,
        targets=targets,
        measures=measures,
        seen={row.pk: request.POST.get(f"da-xem-{row.pk}") for row in measures},
        number=cleaned["number"],
        day=cleaned["day"],
        reason=cleaned["reason"],
        upload=cleaned["file"],
        actor=request.user,
    )


def _shown(proposal, ticked, unit, year):
    """A proposal as the page prints it."""
    measure = proposal.measure
    if proposal.left is None:
        left = ""
    elif proposal.left > 0:
        left = f"còn lại {proposal.words(proposal.left)} chưa chia"
    else:
        left = f"vượt {proposal.words(-proposal.left)} (được phép)" if proposal.left else "đủ"
    return {
        "measure": measure,
        "target": measure.target,
        "ticked": ticked,
        "fingerprint": proposal.fingerprint,
        "is_total": proposal.is_total,
        "from": "Kế hoạch" if proposal.is_own else "Cấp trên giao",
        "received": proposal.words(proposal.received),
        "before": proposal.words(proposal.before),
        "after": proposal.words(proposal.after),
        "left": left,
        "is_under": bool(proposal.left and proposal.left > 0),
        "missing": proposal.missing[:10],
        "missing_more": max(0, len(proposal.missing) - 10),
        "missing_count": len(proposal.missing),
        "grid_url": address("measure_assign", measure.pk, year=year, unit=unit),
        "changes": [
            {
                "unit": row.unit,
                "old": _number(proposal, row.old),
                "new": _number(proposal, row.new),
                "note": row.note,
            }
            for row in proposal.changes
        ],
    }


def _number(proposal, value):
    return "–" if value is None else proposal.words(value)


@policy(access.VIEW, relation="subtree")
def decision_detail(request, pk):
    """A decision as issued: units below see their own lines only."""
    decisions = Decision.objects.visible_to(request.user).select_related("giver", "year", "actor")
    decision = get_object_or_404(decisions, pk=pk)
    mine = Unit.objects.visible_to(request.user)
    versions = decision.versions.filter(assignment__unit__in=mine)
    versions = versions.select_related("assignment__unit", "assignment__measure__target__issuer")
    versions = versions.prefetch_related("assignment__measure__indicators").order_by(
        "assignment__measure__target__issuer",
        "assignment__measure__target__number",
        "assignment__measure__letter",
        "assignment__unit__sort",
        "assignment__unit_id",
    )
    issued = Target.objects.visible_to(request.user).filter(decision=decision)
    context = {
        "decision": decision,
        "year": decision.year,
        "measures": _by_measure(list(versions)),
        "targets": issued.order_by("number"),
        "list_url": address("target_list", year=decision.year),
    }
    return render(request, "targets/decision_detail.html", context)


def _by_measure(versions):
    """[{measure, rows}] in order; each row with the number before this decision."""
    before = {
        (row.assignment_id, row.number): row.planned
        for row in AssignmentVersion.objects.filter(assignment__in=[row.assignment_id for row in versions])
    }
    found = {}
    for row in versions:
        measure = row.assignment.measure
        shown = found.setdefault(measure.pk, {"measure": measure, "target": measure.target, "rows": []})
        old = before.get((row.assignment_id, row.number - 1))
        shown["rows"].append(
            {
                "unit": row.assignment.unit,
                "old": "" if old is None or old == row.planned else plan_in_words(measure, old),
                "new": "–" if row.planned is None else plan_in_words(measure, row.planned),
                "note": row.note,
            }
        )
    return list(found.values())


@policy(access.VIEW, relation="subtree")
def decision_file(request, pk):
    """The signed document of a decision."""
    decision = get_object_or_404(Decision.objects.visible_to(request.user), pk=pk)
    return uploads.serve(
        decision.file, name=decision.file_name, content_type=decision.content_type or "application/pdf", download=True
    )


@policy(access.SET_TARGETS, relation="subtree", methods="GET POST")
def draft_discard(request, pk):
    """Throw away what the unit in view has drafted of a measure; what is in force stays."""
    measure, sharing = shared_measure(request, pk)
    grid_url = address("measure_assign", pk, year=sharing.year, unit=sharing.unit)
    if request.method == "POST":
        count = giving.discard(measure=measure, giver=sharing.unit, actor=request.user)
        messages.success(request, f"Đã bỏ bản nháp của {count} đơn vị." if count else "Không có bản nháp nào để bỏ.")
        return redirect(grid_url)
    drafts = DraftAssignment.objects.filter(measure=measure, giver=sharing.unit)
    context = {
        "measure": measure,
        "target": sharing.target,
        "year": sharing.year,
        "unit": sharing.unit,
        "count": drafts.count(),
        "grid_url": grid_url,
    }
    return render(request, "targets/issue_discard.html", context)
