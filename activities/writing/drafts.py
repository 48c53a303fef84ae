"""What somebody is typing, kept on the server as well, so that it goes on on another device.

A draft is the form's fields as they were sent, judged by nobody. It belongs to its writer alone and goes when the
record is saved.
"""

from django.core.exceptions import ValidationError
from django.db.models import F
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from activities.models import Activity, ActivityKind, Evidence, FormDraft
from activities.writing.forms import ActivityForm
from activities.writing.record_form import FIGURE
from targets.models import Indicator
from unionwork.parameters import whole_number
from unionwork.text import nfc
from unionwork.verbs import verb

MOST_DRAFTS = 20  # of one person: the oldest go
MOST_TEXT = 20_000  # characters of all fields: far above the longest honest form
RECORD = "ban-ghi"  # the record that is being changed, by its number
# What the form sends besides its declared fields and its figures.
BESIDE = {"unit", "khac", "hosts", RECORD}


class Elsewhere(ValidationError):
    """Another device went on with this draft: `now` is what is kept."""

    def __init__(self, now):
        super().__init__("Bản này vừa được nhập tiếp trên máy khác.")
        self.now = now


class Finished(ValidationError):
    """The form was sent already, or its record changed meanwhile: nothing is left to keep."""

    def __init__(self):
        super().__init__("Hoạt động này đã được lưu.")


@verb("Lưu bản đang nhập")
def keep(*, user, key, version, data):
    """Keep the fields (a QueryDict) of the form `key`; 0 is the version of a draft that is not there yet.

    Raises `Elsewhere` when another device wrote after `version`, `Finished` when the form was sent, ValidationError
    when it is too long.
    """
    kept = _known(data)
    if sum(len(text) for texts in kept.values() for text in texts) > MOST_TEXT:
        raise ValidationError("Nội dung quá dài để lưu tạm trên máy chủ.")
    if _is_finished(user, key, kept):
        raise Finished
    mine = FormDraft.objects.filter(user=user, key=key)
    new = {"data": kept, "title": _title(kept), "updated_at": timezone.now()}
    if not mine.filter(version=version).update(version=F("version") + 1, **new):
        now, is_new = FormDraft.objects.get_or_create(key=key, defaults={"user": user, **new})
        if now.user_id != user.pk:
            raise Finished  # the key of somebody else's form: nothing of theirs is told
        if not is_new and now.data != kept:
            raise Elsewhere(now)
    _drop_oldest(user)
    return mine.get()


def _known(data):
    """{name: texts} of the fields the form has; anything else that was sent is left out."""
    codes = set(Indicator.objects.values_list("code", flat=True))
    names = BESIDE | set(ActivityForm.base_fields)
    return {
        name: [text.replace("\0", "") for text in texts]
        for name, texts in data.lists()
        if name in names or name.removeprefix(FIGURE) in codes
    }


def _is_finished(user, key, kept):
    record = _record(kept)
    if record is None:
        return Activity.objects.filter(form_key=key).exists()
    version = (kept.get("version") or [""])[-1]
    return not any(str(each.version) == version for each in Activity.objects.editable_by(user).filter(pk=record))


def _record(kept):
    """The number of the record that is being changed; None for a new one."""
    return whole_number((kept.get(RECORD) or [""])[-1])


def _title(kept):
    """What the list of drafts calls it: the title typed, else the kind."""
    title = nfc((kept.get("title") or [""])[-1]).strip()
    kind = ActivityKind.objects.filter(code=(kept.get("kind") or [""])[-1]).first()
    return (title or (kind.name if kind else "Hoạt động"))[:200]


def _drop_oldest(user):
    mine = FormDraft.objects.filter(user=user)
    mine.filter(pk__in=list(mine.values_list("pk", flat=True)[MOST_DRAFTS:])).delete()


@verb("Bỏ bản đang nhập")
def drop(*, user, key):
    """Whether there was such a draft of this person; it is gone."""
    return bool(FormDraft.objects.filter(user=user, key=key).delete()[0])


def of(user):
    """[{key, title, updated_at, url, drop_url}] of what this person is in the middle of, newest first."""
    return [
        {
            "key": draft.key,
            "title": draft.title,
            "updated_at": draft.updated_at,
            "url": _address(draft),
            "drop_url": reverse("draft_drop", args=[draft.key]),
        }
        for draft in FormDraft.objects.filter(user=user)
    ]


def _address(draft):
    record = _record(draft.data)
    form = reverse("activity_edit", args=[record]) if record else reverse("activity_create")
    return f"{form}?ban-nhap={draft.key}"


def fields_of(draft):
    """The draft as the form sent it."""
    fields = QueryDict(mutable=True)
    for name, texts in draft.data.items():
        fields.setlist(name, texts)
    return fields


@verb("Nhập tiếp bản đã gửi")
def carry_over(*, user, old_key, form_key):
    """What belonged to a form that was sent before goes on with the form that took over its content."""
    Evidence.objects.filter(form_key=old_key, activity=None, uploader=user).update(form_key=form_key)
    drop(user=user, key=old_key)
