"""Who has not reported about a period, with whom to call; reminding them; what superiors have not accepted; the same
lists as files."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from activities.reporting import lateness, reminders, waiting
from activities.reporting.late_filters import MISSING, ON_TIME, WHICH, asked_for
from targets.in_view import address
from unionwork.list_files import FILES
from unionwork.numbers import format_number
from unionwork.parameters import whole_number
from unionwork.policy import policy
from units import access, notices

ROWS_A_PAGE = 100
NAMED = 5  # units of a message; the others are counted
MOST_AT_ONCE = 1000  # units reminded by one press
HEADERS = (
    "Mã đơn vị",
    "Đơn vị",
    "Cấp trên",
    "Kỳ báo cáo",
    "Hạn nộp",
    "Tình trạng",
    "Số ngày trễ",
    "Gửi lần đầu",
    "Liên hệ",
    "Nhắc gần nhất",
    "Người nhắc",
)
WAITING_HEADERS = ("Mã đơn vị", "Đơn vị", "Kỳ báo cáo", "Gửi lúc", "Số ngày chờ", "Cấp trên nhận", "Liên hệ")


# --- The list ---


@policy(access.VIEW, relation="subtree")
def late_list(request):
    """`?nam=&don-vi=&ky=`: who of the units right below (`ca-cay`: of all below) has not reported. `tinh-trang`: who
    has, who on time, who has to; `nhanh`: only one branch, itself included."""
    asked = asked_for(request)
    context = {"unit": asked.unit, "form": asked.form, "period": asked.period, "branch": asked.branch}
    context |= {"heading": asked.heading, "has_periods": bool(asked.form.periods), "is_waiting": asked.is_waiting}
    if asked.is_waiting:
        context |= _waiting(request, asked)
    elif asked.period:
        context |= _list(request, asked)
    return render(request, "activities/late_list.html", context, status=422 if asked.is_wrong else 200)


def _list(request, asked):
    """What the page shows of a period."""
    places, period = asked.placements(request.user), asked.period
    length = len(asked.here.path)
    tally = lateness.tallies([period], places, length).get((asked.here.path, period.pk), lateness.Tally())
    page = Paginator(asked.chosen(places), ROWS_A_PAGE).get_page(request.GET.get("page"))
    rows = lateness.rows_of(page, period, request.user)
    chosen = [row for row in rows if row.is_chosen]
    late = [row for row in rows if not row.state.is_given]
    query, can_remind = _query(request), asked.year.is_open and any(row.takes_reminder for row in rows)
    several = page.paginator.num_pages > 1 and asked.which == MISSING
    return {
        "rows": rows,
        "page": page,
        "tally": tally,
        "which": WHICH[asked.which],
        "empty": _empty(asked, tally),
        "branch_off": _query(request, without="nhanh"),
        "query": query,
        "chosen": len(chosen),
        "can_remind": can_remind,
        "remind_all": tally.missing if can_remind and several and tally.missing <= MOST_AT_ONCE else 0,
        "unreached": sum(not row.people for row in late),
        "message": _message(request, asked, late, tally.missing) if asked.which == MISSING and late else "",
        "several": several,
        "is_deep": asked.is_deep,
        "file_urls": [(kind, f"{reverse(f'late_list_{kind}')}?{query}") for kind in FILES] if rows else [],
        "rates_url": address("rate_table", year=asked.year, unit=asked.unit, loai=asked.period.kind),
    }


def _waiting(request, asked):
    """What the page shows of the reports that wait for a superior, of one period or of all."""
    reports = waiting.reports_of(asked.placements(request.user), asked.year, asked.period)
    page = Paginator(reports, ROWS_A_PAGE).get_page(request.GET.get("page"))
    query = _query(request)
    return {
        "page": page,
        "rows": waiting.rows_of(page, request.user),
        "branch_off": _query(request, without="nhanh"),
        "file_urls": [(kind, f"{reverse(f'late_list_{kind}')}?{query}") for kind in FILES] if page else [],
    }


def _query(request, without=""):
    kept = [(key, value) for key, value in request.GET.items() if key not in ("page", without)]
    return urlencode(kept)


def _empty(asked, tally):
    """Why no unit is listed."""
    if not tally.must:
        return f"Không có đơn vị cấp dưới nào phải báo cáo {reminders.full_name(asked.period)}."
    if asked.which == MISSING:
        return f"Tất cả {format_number(tally.must)} đơn vị đã báo cáo {reminders.full_name(asked.period)}."
    return f"Chưa có đơn vị nào {'báo cáo đúng hạn' if asked.which == ON_TIME else 'báo cáo'}."


def _message(request, asked, late, missing):
    """The text for a chat; a list of several pages is too long for one and goes beside it as a file."""
    units = [f"{row.unit.label} ({row.superior.label})" if asked.is_deep else row.unit.label for row in late]
    if len(units) < missing:
        units = [f"{format_number(missing)} đơn vị trong danh sách gửi kèm"]
    return reminders.message(units=units, period=asked.period, sender=request.user, superior=asked.unit.name)


# --- Reminding ---


@policy(access.SET_TARGETS, relation="subtree", methods="POST")
def late_remind(request):
    """Remind the ticked units (`chon`: keys) about the period of the address, or all that the list of the address has
    on its pages (`tat-ca`), and go back to it."""
    asked = asked_for(request)
    if asked.period is None:
        raise Http404
    mine = lateness.remindable_by(request.user)
    if "tat-ca" in request.POST:
        late = lateness.missing(asked.period, asked.placements(request.user))
        units = list(mine.filter(pk__in=late.order_by().values("unit_id"))[:MOST_AT_ONCE])
    else:
        ids = {whole_number(text) for text in request.POST.getlist("chon")} - {None}
        below = lateness.below(request.user, asked.here)
        units = list(mine.filter(pk__in=ids).filter(pk__in=below.values("unit_id")))
        if len(units) < len(ids):
            raise Http404
    if not units:
        messages.error(request, "Chưa chọn đơn vị nào để nhắc.")
    else:
        _remind(request, units, asked.period)
    return redirect(f"{reverse('late_list')}?{_query(request)}")


def _remind(request, units, period):
    try:
        outcome = reminders.remind(units=units, period=period, actor=request.user)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return
    if outcome.reminded:
        said = f"Đã nhắc {len(outcome.reminded)} đơn vị báo cáo {period} ({outcome.people} người nhận thông báo)."
        now = timezone.now()
        night = " Đang giờ nghỉ nên thông báo hiện lúc 7 giờ sáng." if notices.next_loud(now) != now else ""
        messages.success(request, said + night)
    for left, why in (
        (outcome.already, "đã được nhắc hôm nay nên không nhắc lại"),
        (outcome.reported, "không còn phải nhắc về kỳ này"),
        (outcome.unreached, "chưa ai có tài khoản để nhận thông báo, hãy gọi điện"),
    ):
        if left:
            messages.info(request, f"{len(left)} đơn vị {why}: {_names(left)}.")


def _names(units):
    more = len(units) - NAMED
    return ", ".join(unit.label for unit in units[:NAMED]) + (f" và {more} đơn vị khác" if more > 0 else "")


# --- As a file ---


@policy(access.VIEW, relation="subtree")
def late_list_file(request, kind):
    """The list of the address, all its pages, as .xlsx or .csv."""
    asked = asked_for(request)
    if asked.is_waiting:
        return _waiting_file(request, asked, kind)
    if asked.period is None:
        raise Http404
    rows = lateness.rows_of(asked.chosen(asked.placements(request.user)), asked.period, request.user)
    name = f"BaoCaoKy_{asked.year}_{asked.period.kind}-{asked.period.number}_{asked.which}"
    return FILES[kind](name, HEADERS, [_cells(row, asked.period) for row in rows])


def _waiting_file(request, asked, kind):
    reports = waiting.reports_of(asked.placements(request.user), asked.year, asked.period)
    rows = waiting.rows_of(reports, request.user)
    return FILES[kind](f"BaoCaoChoNhan_{asked.year}", WAITING_HEADERS, [_waiting_cells(row) for row in rows])


def _waiting_cells(row):
    return [
        row.report.unit.code,
        row.report.unit.name,
        reminders.full_name(row.report.period),
        timezone.localtime(row.report.at).date(),
        row.days,
        row.superior and row.superior.name,
        _contacts(row.people),
    ]


def _contacts(people):
    return "; ".join(f"{person} {person.phone}".strip() for person in people)


def _cells(row, period):
    first = row.report and timezone.localdate(row.report.first_at)
    return [
        row.unit.code,
        row.unit.name,
        row.superior.name,
        reminders.full_name(period),
        period.due,
        row.state.words,
        row.days_late,
        first,
        _contacts(row.people),
        row.reminder and row.reminder.day,
        str(row.reminder.actor) if row.reminder else "",
    ]
