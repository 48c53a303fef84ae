"""Thông báo: what the person was told, the newest first, and marking it read."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Max
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from unionwork.numbers import format_number
from unionwork.parameters import own_path
from unionwork.policy import ANY_USER, policy
from units import notices
from units.models import Notice

ON_A_PAGE = 30
UNREAD = "chua-doc"
LARGEST_KEY = 2**63 - 1


class ReadForm(forms.Form):
    """`so`: the one that was read; `den`: all up to this one, so that what came since stays unread."""

    so = forms.IntegerField(min_value=1, max_value=LARGEST_KEY, required=False)
    den = forms.IntegerField(min_value=1, max_value=LARGEST_KEY, required=False)


@policy(ANY_USER, relation="none")
def notice_list(request):
    """`?chua-doc=1`: those that are not read yet."""
    mine = Notice.objects.visible_to(request.user)
    only_unread = request.GET.get(UNREAD) == "1"
    shown = mine.unread() if only_unread else mine
    context = {
        "page": Paginator(shown.for_list(), ON_A_PAGE).get_page(request.GET.get("page")),
        "waiting": mine.unread().order_by().aggregate(count=Count("pk"), latest=Max("pk")),
        "only_unread": only_unread,
        "days": notices.KEPT_DAYS,
    }
    return render(request, "units/notice_list.html", context)


@policy(ANY_USER, relation="none", methods="POST")
def notice_open(request, pk):
    """Mark the notice read and go to what it speaks of."""
    notice = get_object_or_404(Notice.objects.visible_to(request.user), pk=pk)
    notices.read(user=request.user, only=pk)
    return redirect(own_path(notice.url) or "notice_list")


@policy(ANY_USER, relation="none", methods="POST")
def notices_read(request):
    """Mark one or all of them read, and go back to the list as it was filtered."""
    form = ReadForm(request.POST)
    if form.is_valid() and (form.cleaned_data["so"] or form.cleaned_data["den"]):
        count = notices.read(user=request.user, only=form.cleaned_data["so"], until=form.cleaned_data["den"])
        marked = f"Đã đánh dấu {format_number(count)} thông báo là đã đọc."
        messages.success(request, marked if count else "Đã đọc từ trước, không còn gì để đánh dấu.")
    else:
        messages.error(request, "Chưa chọn thông báo nào để đánh dấu.")
    kept = f"?{UNREAD}=1" if request.POST.get(UNREAD) == "1" else ""
    return redirect(reverse("notice_list") + kept)
