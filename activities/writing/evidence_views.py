"""Sending, seeing and removing the evidence of a record."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from activities.models import Evidence
from activities.writing import evidence
from unionwork.parameters import uuid_of
from unionwork.policy import policy
from unionwork.uploads import accept, serve
from units import access

FILES = "tep"  # the inputs of the form without JavaScript
REMOVE = "bo-minh-chung"  # its buttons


@policy(access.LOG, relation="own", methods="POST")
def evidence_add(request):
    """One file of a form that is still being filled in, as soon as it is chosen."""
    form_key, key = uuid_of(request.POST.get("form_key")), uuid_of(request.POST.get("key"))
    try:
        if not (form_key and key):
            raise ValidationError("Tải lại trang rồi chọn lại tệp.")
        if "file" not in request.FILES:
            raise ValidationError("Chọn ảnh hoặc tệp cần gửi.")
        upload = accept(request.FILES["file"])
        row = evidence.attach_upload(form_key=form_key, key=key, upload=upload, actor=request.user)
    except ValidationError as refused:
        return _answer(request, {"error": " ".join(refused.messages)}, status=422)
    return _answer(request, shown(row))


@policy(access.VIEW, relation="subtree")
def evidence_file(request, key):
    row = get_object_or_404(Evidence.objects.visible_to(request.user), key=key)
    is_picture = row.content_type.startswith("image/")
    return serve(row.file, name=row.name, content_type=row.content_type, download=not is_picture)


@policy(access.VIEW, relation="subtree")
def evidence_thumbnail(request, key):
    row = get_object_or_404(Evidence.objects.visible_to(request.user), key=key)
    return serve(row.thumbnail, name=row.name, content_type="image/jpeg", download=False)


@policy(access.LOG, relation="subtree", methods="POST")
def evidence_remove(request, key):
    row = get_object_or_404(Evidence.objects.visible_to(request.user), key=key)
    try:
        evidence.remove(evidence=row, actor=request.user)
    except ValidationError as refused:
        return _answer(request, {"error": " ".join(refused.messages)}, status=422)
    return _answer(request, {"key": str(key)})


def take(request):
    """What rides along with a form sent without JavaScript: files are attached, a pressed “Bỏ” is done.

    [why a file was refused, …]; what was accepted stays, whatever becomes of the form.
    """
    refusals = []
    removed = uuid_of(request.POST.get(REMOVE))
    form_key = uuid_of(request.POST.get("form_key"))
    try:
        if removed:
            row = get_object_or_404(Evidence.objects.visible_to(request.user), key=removed)
            evidence.remove(evidence=row, actor=request.user)
    except ValidationError as refused:
        refusals += refused.messages
    for file in request.FILES.getlist(FILES) if form_key else ():
        try:
            upload = accept(file)
            key = uuid.uuid5(form_key, upload.sha256)  # sent twice, it is one
            evidence.attach_upload(form_key=form_key, key=key, upload=upload, actor=request.user)
        except ValidationError as refused:
            refusals += [f"{file.name}: {message}" for message in refused.messages]
    return refusals


def listed(user, form, activity):
    """Evidence that the form shows; `activity`: the record being changed, None for a new one."""
    return evidence.of_form(activity=activity, form_key=uuid_of(str(form["form_key"].value())), user=user)


def shown(row):
    """An evidence row for the script that sent it."""
    return {
        "key": str(row.key),
        "name": row.name,
        "size": row.size,
        "url": reverse("evidence_file", args=[row.key]),
        "thumbnail": reverse("evidence_thumbnail", args=[row.key]) if row.thumbnail else "",
    }


def _answer(request, said, status=200):
    """JSON for a script; a plain form goes back to the page it came from, with a message."""
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse(said, status=status)
    if "error" in said:
        messages.error(request, said["error"])
    before = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return redirect(before if is_ours else "activity_list")
