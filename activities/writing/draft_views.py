"""So that nothing typed is lost: drafts kept while typing, a fresh token, a form that was sent before.

`keep.js` asks these; without JavaScript the form is sent as ever.
"""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone

from activities import recording
from activities.models import Activity, FormDraft
from activities.writing import drafts
from unionwork.parameters import uuid_of, whole_number
from unionwork.policy import ANY_USER, policy
from units import access

# What belongs to one sending of a form, not to its content.
OF_ONE_SENDING = ("csrfmiddlewaretoken", "form_key", "version", "luu", "thay-khoa")


@policy(access.LOG, relation="own", methods="POST")
def draft_keep(request):
    """200 {version}; 409 {version, at} when another device went on with it; 410 when the form was sent; 422 {error}."""
    key, version = uuid_of(request.POST.get("form_key")), whole_number(request.POST.get("phien-ban", "0"))
    if key is None or version is None:
        return JsonResponse({"error": "Tải lại trang rồi ghi lại."}, status=422)
    try:
        draft = drafts.keep(user=request.user, key=key, version=version, data=request.POST)
    except drafts.Elsewhere as other:
        at = timezone.localtime(other.now.updated_at)
        return JsonResponse({"version": other.now.version, "at": f"{at:%H:%M ngày %d/%m}"}, status=409)
    except drafts.Finished as done:
        return JsonResponse({"error": done.message}, status=410)
    except ValidationError as refused:
        return JsonResponse({"error": refused.messages[0]}, status=422)
    return JsonResponse({"version": draft.version})


@policy(access.LOG, relation="own", methods="POST")
def draft_drop(request, key):
    if not drafts.drop(user=request.user, key=key):
        raise Http404
    if "X-Keep" not in request.headers:
        messages.success(request, "Đã bỏ bản đang nhập.")
    return onward(request, "dashboard")


@policy(ANY_USER, relation="none")
def fresh_token(request):
    """Who is signed in now, and a token that is good for their forms."""
    return JsonResponse({"user": request.user.pk, "token": get_token(request)})


def opened_draft(request):
    """The draft that the address names, or the record it became meanwhile; None when it names none.

    404: not a draft of this person.
    """
    if "ban-nhap" not in request.GET:
        return None
    key = uuid_of(request.GET["ban-nhap"])
    draft = FormDraft.objects.filter(user=request.user, key=key).first()
    return draft or get_object_or_404(Activity.objects.visible_to(request.user), author=request.user, form_key=key)


def onward(request, to, **kwargs):
    """To the page of what was saved. keep.js is told the address, so that the page is asked for only once."""
    if "X-Keep" in request.headers:
        return HttpResponse(status=201, headers={"Location": resolve_url(to, **kwargs)})
    return redirect(to, **kwargs)


def sent_twice(request, form, already):
    """409: this form became a record before, with other content. Shows both; nothing typed is lost."""
    typed = form.entry(Activity())
    typed.activity.prepare()
    content = [(name, text) for name, texts in request.POST.lists() if name not in OF_ONE_SENDING for text in texts]
    context = {
        "already": already,
        "differences": recording.differences(already, typed, form.rules),
        "content": content,
        "replaced_key": form.cleaned_data["form_key"],
        "new_key": uuid.uuid4(),
        "send_as": request.POST["luu"],
    }
    return render(request, "activities/form_sent_twice.html", context, status=409)
