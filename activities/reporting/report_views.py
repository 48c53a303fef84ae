"""What the superior sees of a period: who sent what, and the answer to it. And the page of one report."""

from collections import defaultdict
from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from activities.happened import last_act
from activities.models import GIVEN, PeriodReport, ReportState
from activities.reasons import ReasonForm, reason_page
from activities.reporting import lateness, periods, unit_periods
from activities.reporting.in_view import in_view, placement_of
from activities.reporting.period_states import asked
from activities.reporting.period_views import chosen_period
from targets.in_view import address, query_of
from unionwork.dates import format_date
from unionwork.parameters import WAY_BACK, numbered_pairs, whole_number
from unionwork.policy import policy
from units import access, journal
from units.models import Unit

CHILDREN_A_PAGE = 100
WAITING, MINE, SILENT = "cho-nhan", "cho-ban", "chua-gui"  # `?loc=`
NAMED = 5  # reports of which is said one by one why they do not wait any more
NONE_CHOSEN = "Chọn ít nhất một báo cáo đang chờ nhận."
BACK_REASONS = ["Còn thiếu hoạt động", "Số liệu chưa khớp", "Chưa nêu khó khăn, đề xuất"]
REOPEN_REASONS = ["Nhận nhầm", "Đơn vị cần bổ sung số liệu"]


@policy(access.VIEW, relation="subtree")
def period_children(request):
    """`?ky=&don-vi=`: the reports of the units right below one. `?loc=`: only those that wait, wait for this reader, or
    have not come."""
    here, year, period = _looked_at(request)
    unit, children = here.unit, lateness.children(request.user, here, year)
    below, shown = children, request.GET.get("loc")
    if shown in (WAITING, MINE):
        sent = _reports(below, period).filter(state=ReportState.SENT)
        sent = _of_others(request.user, sent) if shown == MINE else sent
        below = below.filter(unit__in=sent.values("unit"))
    elif shown == SILENT:
        below = lateness.missing(period, below)
    page = Paginator(below, CHILDREN_A_PAGE).get_page(request.GET.get("page"))
    rows = unit_periods.of_units(page, [period])
    rows = [row for place in page for row in rows[place.unit_id]]
    mine = _decidable(request.user, [row.report for row in rows if row.is_sent]) if year.is_open else set()
    for_list = [(row, row.is_sent and row.report.pk in mine) for row in rows]
    context = {
        "unit": unit,
        "period": period,
        "page": page,
        "rows": for_list,
        "tally": _tally(children, period),
        "shown": shown if shown in (WAITING, MINE, SILENT) else "",
        "can_accept": any(may for _, may in for_list),
        "query": query_of(year=year, unit=unit, ky=period.pk),
        "list_url": address("period_list", year=year, unit=unit),
    }
    return render(request, "activities/period_children.html", context)


def _tally(below, period):
    """How many must report, how many words stand, wait and are accepted."""
    states = _reports(below, period).order_by().values_list("state").annotate(n=Count("pk"))
    found = dict(states)
    must = asked(period, below).count()
    missing = lateness.missing(period, below).count()
    return {
        "must": must,
        "missing": missing,
        "given": sum(found.get(state, 0) for state in GIVEN),
        "waiting": found.get(ReportState.SENT, 0),
        "accepted": found.get(ReportState.ACCEPTED, 0),
    }


def _reports(below, period):
    return PeriodReport.objects.filter(period=period.pk, unit__in=below.order_by().values("unit_id"))


def _of_others(user, sent):
    """Those of the sent reports that this user may accept: of units below, sent by somebody else."""
    return sent.filter(pk__in=PeriodReport.objects.decidable_by(user).values("pk")).exclude(actor=user)


def _decidable(user, reports):
    """Ids of those of the sent reports that this user may accept."""
    sent = PeriodReport.objects.filter(pk__in=[row.pk for row in reports])
    return set(_of_others(user, sent).values_list("pk", flat=True))


@policy(access.REVIEW, relation="superior", methods="GET POST")
def reports_accept(request):
    """GET: what accepting the ticked reports (`chon`: ids) locks. POST (`chon`: id:version): accept them."""
    here, year, period = _looked_at(request)
    back = address("period_children", year=year, unit=here.unit, ky=period.pk)
    below = lateness.children(request.user, here, year)
    if request.method == "POST":
        _accept_many(request, numbered_pairs(request.POST.getlist("chon")), below, period)
        return redirect(back)
    wanted = {whole_number(text) for text in request.GET.getlist("chon")} - {None}
    sent = _reports(below, period).filter(state=ReportState.SENT, pk__in=wanted)
    mine = _decidable(request.user, sent) if year.is_open else set()
    places = below.filter(unit__in=sent.filter(pk__in=mine).values("unit"))
    rows = [row for found in unit_periods.of_units(places, [period]).values() for row in found]
    if not rows:
        _say_why_none(request, _reports(below, period).filter(pk__in=wanted))
        return redirect(back)
    declarations, corrections = unit_periods.waiting_besides([row.placement for row in rows], period)
    context = {
        "unit": here.unit,
        "period": period,
        "rows": rows,
        "declarations": declarations,
        "corrections": corrections,
        "pending": sum(row.counts.pending for row in rows),
        "unsent": sum(row.counts.drafts + row.counts.returned for row in rows),
        "gone": len(set(wanted)) - len(rows),
        "back_url": back,
        "query": query_of(year=year, unit=here.unit, ky=period.pk),
    }
    return render(request, "activities/reports_accept.html", context)


def _say_why_none(request, chosen):
    """What became meanwhile of the reports that were ticked, none of which waits for this reader any more."""
    chosen = chosen.select_related("unit", "period", "year").order_by("unit__sort", "pk")[:NAMED]
    said = dict.fromkeys(why for row in chosen if (why := periods.in_the_way(periods.accept, row, request.user)))
    for why in said:
        messages.info(request, why)
    if not said:
        messages.error(request, NONE_CHOSEN)


def _accept_many(request, seen, below, period):
    """Accept, and say what came of it, row by row where it was refused."""
    units = dict(_reports(below, period).filter(pk__in=seen).values_list("pk", "unit__name"))
    seen = {pk: version for pk, version in seen.items() if pk in units}
    if not seen:
        messages.error(request, NONE_CHOSEN)
        return
    outcome = periods.accept_many(seen=seen, actor=request.user)
    if outcome.done:
        messages.success(request, f"Đã nhận và khoá {period} của {len(outcome.done)} đơn vị.")
    refused = defaultdict(list)
    for pk, why in outcome.refused:
        refused[why].append(units[pk])
    for why, names in refused.items():
        messages.warning(request, f"{', '.join(names)}: {why}")


@policy(access.VIEW, relation="subtree")
def report_detail(request, pk):
    """One report: what it says, what the records say, what still waits inside, and what happened to it."""
    report = _visible(request.user, pk)
    placement = placement_of(report.unit, report.year)
    here = unit_periods.of_unit(placement, [report.period])[0] if placement else None
    mine = PeriodReport.objects.decidable_by(request.user).filter(pk=pk).exists() and report.year.is_open
    is_sent = report.state == ReportState.SENT
    context = {
        "report": report,
        "unit": report.unit,
        "here": here,
        "may_decide": mine and is_sent and report.actor_id != request.user.pk,
        "is_senders": mine and is_sent and report.actor_id == request.user.pk,
        "may_reopen": mine and report.state == ReportState.ACCEPTED,
        "entries": journal.of(report),
        "list_url": address("period_list", year=report.year, unit=report.unit),
        "unlock_url": _unlock_url(report),
        "query": query_of(year=report.year, unit=report.unit, ky=report.period_id),
    }
    above = Unit.objects.visible_to(request.user).filter(pk=placement.parent_id).first() if mine and placement else None
    if above:
        context["others_url"] = address("period_children", year=report.year, unit=above, ky=report.period_id)
    if context["may_decide"] and placement:
        below = lateness.children(request.user, placement, report.year)
        besides = unit_periods.waiting_besides([placement], report.period)
        context["declarations"], context["corrections"] = besides
        context["silent"] = lateness.missing(report.period, below).count()
    return render(request, "activities/report_detail.html", context)


def _unlock_url(report):
    days = {"tu": format_date(report.period.first_day), "den": format_date(report.period.last_day)}
    back = {WAY_BACK: reverse("report_detail", args=[report.pk])}
    return address("unlock_create", year=report.year, unit=report.unit, **days, **back)


@policy(access.REVIEW, relation="superior", methods="POST")
def report_accept(request, pk):
    """Accept the report that the reader saw (`version`)."""
    report = _visible(request.user, pk)
    try:
        is_new = periods.accept(report=report, actor=request.user, version=_version(request))
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        if is_new:
            messages.success(request, f"Đã nhận và khoá {report.period} của {report.unit}.")
        else:
            messages.info(request, f"Báo cáo này đã được nhận trước đó: {last_act(report)}.")
    return redirect("report_detail", pk=pk)


@policy(access.REVIEW, relation="superior", methods="GET POST")
def report_send_back(request, pk):
    words = {
        "heading": "Trả lại báo cáo",
        "explains": "Đơn vị thấy lý do này, bổ sung rồi gửi lại. Báo cáo được coi là chưa gửi cho tới khi đó. Gửi lại "
        "trong số ngày gia hạn của kỳ thì vẫn tính theo lần gửi đầu; lâu hơn thì cộng thêm ngày trễ.",
        "button": "Trả lại báo cáo",
    }
    return _with_reason(request, pk, periods.send_back, BACK_REASONS, words, "Đã trả lại báo cáo.")


@policy(access.REVIEW, relation="superior", methods="GET POST")
def report_reopen(request, pk):
    words = {
        "heading": "Mở lại báo cáo",
        "explains": "Báo cáo trở lại chờ nhận và không còn khoá số liệu: đơn vị sửa được hoạt động trong kỳ.",
        "button": "Mở lại báo cáo",
    }
    return _with_reason(request, pk, periods.reopen_report, REOPEN_REASONS, words, "Đã mở lại báo cáo.")


def _with_reason(request, pk, act, presets, words, done):
    """A small page that asks why, while the step can be taken; POST takes it."""
    report = _visible(request.user, pk)
    if not PeriodReport.objects.decidable_by(request.user).filter(pk=pk).exists():
        raise PermissionDenied

    def onward(level, words):
        messages.add_message(request, level, words)
        return redirect("report_detail", pk=pk)

    if why := periods.in_the_way(act, report, request.user):  # somebody was quicker: nothing is left to ask
        return onward(messages.INFO, why)
    return reason_page(
        request,
        ReasonForm(request.POST if request.method == "POST" else None, presets=presets),
        partial(act, report=report, actor=request.user, version=_version(request)),
        template="activities/report_reason.html",
        context=words | {"report": report},
        refused=lambda error: onward(messages.ERROR, " ".join(error.messages)),
        done=lambda: onward(messages.SUCCESS, done),
    )


# --- What the address names ---


def _looked_at(request):
    """(placement, work year, period). Raises Http404."""
    year, _, here = in_view(request)
    if here is None:
        raise Http404
    return here, year, chosen_period(request, here)


def _visible(user, pk):
    related = ("unit", "period__year", "year", "actor", "decider")
    return get_object_or_404(PeriodReport.objects.visible_to(user).select_related(*related), pk=pk)


def _version(request):
    """The version read; 0, which no report has, when that is not said."""
    return whole_number(request.POST.get("version", "")) or 0
