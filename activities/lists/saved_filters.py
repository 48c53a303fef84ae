"""Bộ lọc đã lưu: the address of a list under a name, perhaps shared; and the columns a person saw last.

A filter is a query and no rows: whoever opens it sees what is in the own scope.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import QueryDict

from activities.filters import ActivityFilter
from activities.models import SavedFilter
from unionwork.text import nfc, sort_key
from unionwork.verbs import verb
from units import journal
from units.journal import Note
from units.models import JournalEntry, Unit

COLUMNS, ORDER, PER_PAGE, YEAR = "cot", "xep", "per_page", "nam"
NARROWING = [name.replace("_", "-") for name in ActivityFilter.base_filters]
DATED = {"ky", "tu", "den"}  # with these a filter belongs to the year it was made in
LONGEST_QUERY, LONGEST_NAME = 2_000, 80
MOST = 50  # of one person
SHARED = "Dùng chung với"  # as the journal says it
SAME_NAME = "Bạn đã có bộ lọc mang tên này. Chọn tên khác, hoặc xoá bộ lọc cũ trước."


def known(params):
    """The parameters (a QueryDict) that a list knows, without blank ones, as a QueryDict; the page number goes."""
    kept = QueryDict(mutable=True)
    for name in (YEAR, *NARROWING, COLUMNS, ORDER, PER_PAGE):
        if values := [value for value in params.getlist(name) if value.strip()]:
            kept.setlist(name, values)
    return kept


def query_of(params):
    """What is kept of an address. Raises ValidationError when it is too long."""
    kept = known(params)
    if not DATED & {*kept}:
        kept.pop(YEAR, None)
    query = kept.urlencode()
    if len(query) > LONGEST_QUERY:
        raise ValidationError("Bộ lọc này quá dài để lưu. Bớt điều kiện hoặc bớt cột.")
    return query


def offered(user):
    """The filters above the user's list: the own, and those shared with the people of a unit the user has a role on."""
    return sorted(
        SavedFilter.objects.offered_to(user).select_related("unit", "user"), key=lambda row: sort_key(row.name)
    )


@verb("Lưu bộ lọc")
def save(*, user, name, query, unit=None):
    """Keep a query (`query_of`) under a name, for the people of `unit` too when given. Raises ValidationError."""
    if SavedFilter.objects.filter(user=user).exclude(name="").count() >= MOST:
        raise ValidationError(f"Bạn đã lưu {MOST} bộ lọc. Xoá bớt bộ lọc cũ rồi lưu lại.")
    row = SavedFilter(user=user, query=query)
    _name(row, name, unit)
    _note(save, row, row.unit, journal.changed([(SHARED, None, row.unit)]))
    return row


@verb("Sửa bộ lọc")
def change(*, saved, actor, name, unit=None):
    """Give another name, or share it with others. Raises ValidationError, PermissionDenied when it is another's."""
    row = _own(saved, actor)
    if row is None:
        raise ValidationError("Bộ lọc này đã bị xoá.")
    before = row.name, row.unit
    _name(row, name, unit)
    changes = journal.changed(zip(("Tên", SHARED), before, (row.name, row.unit), strict=True))
    _note(change, row, row.unit or before[1], changes)  # where it was shared they read that it no longer is


@verb("Xoá bộ lọc")
def delete(*, saved, actor):
    """Remove it, for those it was shared with too. Returns False when it is gone already."""
    row = _own(saved, actor)
    if row is None:
        return False
    SavedFilter.objects.filter(pk=row.pk).delete()
    _note(delete, row, row.unit)
    return True


def was_deleted_by(user, pk):
    """Whether this person removed a filter of this number. Nothing is told of what anybody else removed."""
    mine = JournalEntry.objects.filter(object_type=SavedFilter._meta.label_lower, object_id=pk, verb=delete.code)
    return mine.filter(actor=user).exists()


def _own(saved, actor):
    """The row, locked; None when it is gone."""
    row = SavedFilter.objects.select_for_update().filter(pk=saved.pk).first()
    if row and row.user_id != actor.pk:
        raise PermissionDenied("Chỉ người đã lưu bộ lọc này sửa và xoá được.")
    return row


def _name(row, name, unit):
    name = nfc(name)
    if not name:
        raise ValidationError({"name": "Đặt tên cho bộ lọc."})
    if len(name) > LONGEST_NAME:
        raise ValidationError({"name": f"Tên dài nhất {LONGEST_NAME} ký tự."})
    if unit and not Unit.objects.visible_to(row.user).filter(pk=unit.pk).exists():
        raise PermissionDenied("Chỉ dùng chung được trong đơn vị thuộc phạm vi của bạn.")
    row.name, row.unit = name, unit
    if SavedFilter.objects.filter(user=row.user_id, name=name).exclude(pk=row.pk).exists():
        raise ValidationError({"name": SAME_NAME})
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:  # the same name was saved meanwhile
        raise ValidationError({"name": SAME_NAME}) from error


def _note(act, row, unit, changes=()):
    journal.write([Note(act.code, row, row.user, unit=unit and unit.pk, label=row.name, changes=list(changes))])


# --- The columns somebody saw last: a convenience like a form's draft, no part of the record of what was done ---


def columns_of(user):
    """Keys of the columns the user chose last; [] for the usual ones."""
    kept = SavedFilter.objects.filter(user=user, name="").values_list("query", flat=True).first()
    return QueryDict(kept or "").getlist(COLUMNS)


@transaction.atomic
def remember_columns(*, user, keys):
    """Show these columns from now on wherever the address names none; without any, the usual ones again."""
    if not keys:
        SavedFilter.objects.filter(user=user, name="").delete()
        return
    kept = QueryDict(mutable=True)
    kept.setlist(COLUMNS, keys)
    SavedFilter.objects.update_or_create(user=user, name="", defaults={"query": kept.urlencode()[:LONGEST_QUERY]})
