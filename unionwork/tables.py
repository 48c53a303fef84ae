"""Pages of a table: the same rules for every list."""

from django.core.paginator import Paginator
from django.utils.functional import cached_property
from django_tables2 import RequestConfig

from unionwork.parameters import whole_number

PER_PAGE, MOST_PER_PAGE = 25, 100
CAP = 10_000  # rows counted; beyond it one narrows the filter


class CappedPaginator(Paginator):
    """Counts no further than CAP."""

    @cached_property
    def _counted(self):
        rows = self.object_list.data.data
        return len(rows) if isinstance(rows, list) else rows.order_by()[: CAP + 1].count()

    @property
    def count(self):
        return min(self._counted, CAP)

    @property
    def is_capped(self):
        return self._counted > CAP


def paginate(request, table):
    """Sorted as ?sort= says, 25 rows a page or ?per_page= up to 100; a page that is not there is the nearest one."""
    per_page = whole_number(request.GET.get("per_page", ""), digits=3) or PER_PAGE
    RequestConfig(request, paginate=False).configure(table)
    paginator = CappedPaginator(table.rows, min(per_page, MOST_PER_PAGE))
    number = paginator.get_page(request.GET.get("page")).number
    table.paginate(paginator_class=lambda *args, **kwargs: paginator, page=number, per_page=paginator.per_page)
    return table
