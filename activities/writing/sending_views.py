"""Gửi duyệt nhiều hoạt động: what one wrote down and has not sent yet, on one page."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import redirect, render

from activities.models import Activity
from activities.refused import keep_refused, refused_before
from activities.writing import sending
from activities.writing.form_views import ASK
from targets.in_view import address
from targets.years import chosen_year
from unionwork.numbers import format_number
from unionwork.parameters import numbered_pairs
from unionwork.policy import policy
from units import access

A_PAGE = 50  # each is sent on its own: a second or two for a page
NONE_CHOSEN = "Chọn ít nhất một hoạt động để gửi duyệt."


@policy(access.LOG, relation="subtree", methods="GET POST")
def activities_send(request):
    """GET: the drafts and returned records of the year, those ticked that can go as they are. POST (`chon`: id and
    version of each): send them, and say one by one which were not sent. 422: none was ticked."""
    year = chosen_year(request)
    if request.method != "POST":
        return _page(request, year)
    seen = numbered_pairs(request.POST.getlist("chon")[:A_PAGE])
    if not seen:
        return _page(request, year, wrong=NONE_CHOSEN)
    sent, already, refused = sending.send_each(seen=seen, actor=request.user)
    if sent:
        said = f"Đã gửi duyệt {format_number(len(sent))} hoạt động."
        messages.success(request, f"{said} Số liệu được tính vào chỉ tiêu ngay khi cấp trên duyệt.")
    if already:
        messages.info(
            request, f"{format_number(len(already))} hoạt động đã được gửi duyệt trước đó rồi, không gửi thêm."
        )
    if gone := len(seen) - len(sent) - len(already) - len(refused):
        messages.warning(request, f"Không tìm thấy {format_number(gone)} mục đã chọn trong số hoạt động bạn được gửi.")
    return redirect(address("activities_send", year=year, **keep_refused(request, refused)))


def _page(request, year, wrong=""):
    found = sending.for_page(sending.unsent(request.user, year))
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    rows = sending.rows_of(list(page.object_list))
    can_go = sum(row.can_go for row in rows)
    context = {
        "page": page,
        "rows": rows,
        "can_go": can_go,
        "is_ticked": not wrong,
        "errors": [{"id": "chon" if can_go else "", "message": wrong}] if wrong else [],
        "refused": [] if wrong else _refused(request),
        "ask": ASK,
        "list_url": address("activity_list", year=year),
    }
    return render(request, "activities/activities_send.html", context, status=422 if wrong else 200)


def _refused(request):
    """[(record, why)] of what was ticked a moment ago and not sent."""
    said = refused_before(request, request.GET)
    known = Activity.objects.editable_by(request.user).select_related("unit").in_bulk([pk for pk, _ in said])
    return [(known[pk], why) for pk, why in said if pk in known]
