"""Pages that write several records at once: one event on several dates, and the quick table."""

from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse

from activities.models import RecordNature
from activities.rules import Rules
from activities.writing import repeating, warnings
from activities.writing.form_views import KEEP, SEND, opened, written_by
from activities.writing.repeat_form import DatesForm, QuickTable
from unionwork.dates import format_date
from unionwork.numbers import format_number
from unionwork.policy import policy
from units import access


@policy(access.LOG, relation="subtree", methods="GET POST")
def activity_repeat(request, pk):
    """A saved activity once more on other dates."""
    record, rules = written_by(request.user, pk), Rules()
    if record.kind.nature != RecordNature.FLOW:
        messages.error(request, "Kê khai và mốc hoàn thành được ghi riêng cho từng ngày.")
        return redirect("activity_detail", pk=pk)

    def make(**how):
        return DatesForm(user=request.user, rules=rules, record=record, **how)

    return _page(request, make, "activities/repeat_dates.html", {"record": record})


@policy(access.LOG, relation="subtree", methods="GET POST")
def quick_table(request):
    """Small events of one kind and unit, a row each."""
    rules, start = Rules(), opened(request)

    def make(**how):
        return QuickTable(user=request.user, rules=rules, opened=start, **how)

    return _page(request, make, "activities/repeat_table.html", {})


def _page(request, make, template, context):
    """The page of a form built by `make`: shown, written (then the list of what was written), or shown again. 200: the
    form's small buttons; 422: errors and questions."""
    status = 200
    if request.method == "GET":
        form = make()
    elif request.POST.get("luu") not in (SEND, KEEP):
        form = make(typed=request.POST)
    else:
        form, status = make(data=request.POST), 422
        if form.is_valid() and (address := _written(request, form)):
            return redirect(address)
    context |= {"form": form, "form_url": request.get_full_path()}
    return render(request, template, context, status=status)


def _written(request, form):
    """The address of the list of what was written, "" with the reasons on the form."""
    send, entries = request.POST["luu"] == SEND, form.entries()
    try:
        saved = repeating.write_down(entries=entries, actor=request.user, send=send, **form.answer)
    except repeating.Refused as refused:
        form.take(refused.errors)
        return ""
    except warnings.Unanswered as unanswered:
        form.ask(unanswered)
        return ""
    if not saved:
        messages.info(request, "Trang này đã được lưu trước đó; không ghi thêm lần nữa.")
    elif send:
        messages.success(request, f"Đã gửi {format_number(len(saved))} hoạt động, chờ cấp trên duyệt.")
    else:
        many = "Gửi cả loạt ở “Gửi duyệt nhiều hoạt động”." if len(saved) > 1 else "Mở bản ghi để gửi duyệt."
        messages.success(request, f"Đã lưu nháp {format_number(len(saved))} hoạt động. {many}")
    return _list_of([entry.activity for entry in entries.values()])


def _list_of(activities):
    """The list of the unit's records of the kind between the days that were written, in the latest year of them."""
    last = max(activities, key=lambda activity: activity.last_day)
    first = min(activity.last_day for activity in activities if activity.year_id == last.year_id)
    query = {
        "nam": last.year_id,
        "don-vi": last.unit.code,
        "loai": last.kind.code,
        "tu": format_date(first),
        "den": format_date(last.last_day),
    }
    return f"{reverse('activity_list')}?{urlencode(query)}"
