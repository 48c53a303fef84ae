"""Minh chứng: photos and documents of a record. They are not counted, so adding one never un-approves a record.

A file is sent while its form is still being filled: it waits under the `form_key` until the record is saved and
claims it. Who sent it may remove it; afterwards whoever may write the record.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from activities import events, locks
from activities.models import EDITABLE, Activity, Event, Evidence, Step
from activities.writing import reuse
from unionwork.verbs import verb
from units import tree
from units.models import User

logger = logging.getLogger(__name__)

MOST_FILES = 10  # of one record
MOST_A_DAY = 200 << 20  # bytes that one person sends
KEPT = timedelta(days=30)  # a file whose form was never saved
SETTLED = timedelta(days=1)  # a stored file without a row may be one being written just now
BATCH = 500
FOLDER = "minh-chung"

NOT_YOURS = "Tệp này thuộc một biểu mẫu khác: tải lại trang rồi chọn lại tệp."
NO_ROOM = "Máy chủ chưa lưu được tệp: thử lại sau ít phút, nếu vẫn không được thì báo quản trị."


@verb("Thêm minh chứng")
def attach_upload(*, form_key, key, upload, actor):
    """The evidence row of `upload`; the same `key` again gives the row that is there. Raises ValidationError.

    Belongs at once to the record of `form_key` if there is one (an Event says so), else waits for `claim`.
    """
    tree.lock_shared()  # no period is locked meanwhile
    # One after the other for each person: the same key twice is one row, and the quotas hold.
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    already = Evidence.objects.filter(key=key).first()
    if already:
        if (already.uploader_id, already.form_key) != (actor.pk, form_key):
            raise ValidationError(NOT_YOURS)
        return already
    activity = _record_of(form_key, actor)
    _check_quotas(form_key, activity, upload, actor)
    evidence = Evidence(
        key=key,
        form_key=form_key,
        activity=activity,
        name=upload.name,
        content_type=upload.content_type,
        size=upload.size,
        sha256=upload.sha256,
        perceptual=upload.perceptual,
        uploader=actor,
    )
    _store(evidence, upload)
    if activity:
        _note(attach_upload, Step.ATTACH, activity, actor, upload.name)
    return evidence


@verb("Thêm minh chứng")
def claim(*, activity, actor):
    """Give what this person sent for the form of `activity` to the record now saved."""
    tree.lock_shared()
    waiting = Evidence.objects.filter(form_key=activity.form_key, uploader=actor, activity=None)
    names = list(waiting.values_list("name", flat=True))
    if names:
        _demand_open(activity)
    if names and waiting.update(activity=activity):
        _note(claim, Step.ATTACH, activity, actor, ", ".join(names))


@verb("Bỏ minh chứng")
def remove(*, evidence, actor):
    """Delete a row, and its files once that is certain. Gone already: nothing happens.

    Raises ValidationError when its record is not open to changes, PermissionDenied when it is not the actor's to write.
    """
    tree.lock_shared()
    activity = evidence.activity_id and _locked(pk=evidence.activity_id)
    if activity:
        if not Activity.objects.editable_by(actor).filter(pk=activity.pk).exists():
            raise PermissionDenied
        _demand_open(activity)
    elif evidence.uploader_id != actor.pk:
        raise PermissionDenied
    deleted, _ = Evidence.objects.filter(pk=evidence.pk, activity=activity or None).delete()
    if deleted:
        transaction.on_commit(lambda: _delete_files(evidence))
    if deleted and activity:
        _note(remove, Step.DETACH, activity, actor, evidence.name)


def of_form(*, activity, form_key, user):
    """What a form shows: the record's evidence, or for a new record what this person sent under `form_key`."""
    if activity:
        return list(activity.evidence.all())
    return list(Evidence.objects.filter(form_key=form_key, uploader=user, activity=None)) if form_key else []


def of_record(activity, *, user, compared):
    """The record's evidence, each with `reused_in`: other activities that show it too, looked for when `compared`."""
    shown = list(activity.evidence.all())
    found = reuse.reused(shown, user=user) if compared else {}
    for row in shown:
        row.reused_in = found.get(row.pk, [])
    return shown


@dataclass
class Swept:
    """What a sweep did, in rows and files."""

    claimed: int = 0
    rows: int = 0
    files: int = 0


def sweep(*, now=None):
    """Clear away what nobody will claim: rows of forms never saved, stored files without a row."""
    now, done = now or timezone.now(), Swept()
    late = Evidence.objects.filter(activity=None, at__lt=now - SETTLED)
    for record in Activity.objects.filter(form_key__in=late.values("form_key")).select_related("author"):
        # Sent in the very moment in which the form was saved.
        sent = late.filter(form_key=record.form_key, uploader=record.author).count()
        try:
            claim(activity=record, actor=record.author)
        except ValidationError:  # locked or cancelled by now: it waits like those of forms never saved
            continue
        done.claimed += sent
    for row in Evidence.objects.filter(activity=None, at__lt=now - KEPT):
        deleted, _ = Evidence.objects.filter(pk=row.pk, activity=None).delete()
        if deleted:
            done.rows += 1
            _delete_files(row)
    done.files = _sweep_files(now)
    return done


def _sweep_files(now):
    names = default_storage.listdir(FOLDER)[1] if default_storage.exists(FOLDER) else []
    paths, deleted = [f"{FOLDER}/{name}" for name in names], 0
    for start in range(0, len(paths), BATCH):
        batch = paths[start : start + BATCH]
        rows = Evidence.objects.filter(Q(file__in=batch) | Q(thumbnail__in=batch)).values_list("file", "thumbnail")
        for path in set(batch) - {path for row in rows for path in row}:
            if default_storage.get_modified_time(path) < now - SETTLED:
                default_storage.delete(path)
                deleted += 1
    return deleted


def _locked(**which):
    return Activity.objects.select_for_update(of=("self",)).select_related("year").filter(**which).first()


def _record_of(form_key, actor):
    """The record already saved under this form, if any; it must be the actor's to change."""
    activity = _locked(form_key=form_key)
    if activity is None:
        return None
    if not Activity.objects.editable_by(actor).filter(pk=activity.pk).exists():
        raise ValidationError(NOT_YOURS)
    _demand_open(activity)
    return activity


def _demand_open(activity):
    if lock := locks.of_record(activity).lock:
        raise locks.Locked(lock)
    if activity.status not in EDITABLE:
        label = activity.get_status_display()
        raise ValidationError(f"Không thay đổi được minh chứng của hoạt động ở trạng thái “{label}”.")


def _check_quotas(form_key, activity, upload, actor):
    mine = Q(activity=activity) if activity else Q(form_key=form_key, uploader=actor)
    if Evidence.objects.filter(mine).count() >= MOST_FILES:
        raise ValidationError(f"Mỗi hoạt động có nhiều nhất {MOST_FILES} tệp: bỏ bớt tệp ít cần rồi thêm lại.")
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    sent = Evidence.objects.filter(uploader=actor, at__gte=midnight).aggregate(sum=Sum("size"))["sum"] or 0
    if sent + upload.size > MOST_A_DAY:
        limit = f"{MOST_A_DAY >> 20} MB"
        raise ValidationError(f"Hôm nay bạn đã gửi gần hết {limit} minh chứng: gửi tiếp vào ngày mai.")


def _store(evidence, upload):
    """Files first, then the row; a file without a row is swept, a row without its file would be a lie."""
    try:
        evidence.file.save("x", ContentFile(upload.content), save=False)
        if upload.thumbnail:
            evidence.thumbnail.save("x", ContentFile(upload.thumbnail), save=False)
    except OSError:
        logger.exception("Evidence could not be stored")
        _delete_files(evidence)
        raise ValidationError(NO_ROOM) from None
    try:
        with transaction.atomic():
            evidence.save(force_insert=True)
    except IntegrityError:  # somebody else's key, in this very moment
        _delete_files(evidence)
        raise ValidationError(NOT_YOURS) from None


def _delete_files(evidence):
    for file in (evidence.file, evidence.thumbnail):
        if file:
            file.storage.delete(file.name)


def _note(act, step, activity, actor, names):
    event = Event(
        activity=activity,
        step=step,
        from_status=activity.status,
        to_status=activity.status,
        actor=actor,
        reason=names,
    )
    events.write(act.code, [event])
