"""Nhật ký: everything that was done in the units somebody manages, and the history of one object."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse

from unionwork.list_files import FILES
from unionwork.numbers import format_number
from unionwork.policy import ANY_USER, policy
from unionwork.tables import PER_PAGE, paginate
from units import access, histories
from units.journal_filter import JournalFilter
from units.journal_table import HEADERS, JournalTable, file_rows

MOST_ROWS = 50_000  # of a file; a longer list is narrowed first
FIRST_SHOWN = 10  # of a history unfolded inside another page


@policy(access.MANAGE_PEOPLE, relation="subtree")
def journal_list(request):
    """Everything done in the units whose accounts the user manages, as far as the address does not narrow it."""
    form = JournalFilter(request.GET, user=request.user)
    table = paginate(request, JournalTable(form.found()))
    count, query = table.paginator.count, request.GET.urlencode()
    context = {
        "form": form,
        "table": table,
        "count": count,
        "is_capped": table.paginator.is_capped,
        "chips": list(form.chips()),
        "file_urls": [(kind, f"{reverse(f'journal_{kind}')}?{query}") for kind in FILES] if count else [],
    }
    return render(request, "units/journal_list.html", context, status=422 if form.errors else 200)


@policy(access.MANAGE_PEOPLE, relation="subtree")
def journal_file(request, kind):
    """The filtered entries, all their pages, as .xlsx or .csv."""
    form = JournalFilter(request.GET, user=request.user)
    found = form.found()
    too_many = found.order_by()[: MOST_ROWS + 1].count() > MOST_ROWS
    if form.errors or too_many:
        if too_many:
            most = format_number(MOST_ROWS)
            messages.error(request, f"Nhật ký dài hơn {most} dòng. Lọc hẹp lại (theo ngày, đơn vị) rồi tải.")
        return redirect(f"{reverse('journal_list')}?{request.GET.urlencode()}")
    return FILES[kind]("NhatKy", HEADERS, file_rows(found))


@policy(ANY_USER, relation="subtree")
def history(request, slug, key):
    """What happened to one object: the latest of it inside another page, all of it on a page of its own."""
    found = histories.read(request.user, slug, key)
    if found is None:
        raise Http404
    kind, row, entries = found
    page = Paginator(entries, FIRST_SHOWN if request.htmx else PER_PAGE).get_page(request.GET.get("page"))
    context = {"slug": slug, "key": key, "page": page, "entries": list(page)}
    if request.htmx:
        return render(request, "units/_history_shown.html", context)
    last = next(iter(context["entries"]), None)
    context |= {
        "kind": kind,
        "name": str(row) if row is not None else last.label,
        "url": kind.address(row) if row is not None and kind.address else "",
    }
    return render(request, "units/history.html", context)
