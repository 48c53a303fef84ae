"""A form that was sent after the session had ended: what was typed goes along through signing in.

keep.js does without; this is for browsers without JavaScript. Nothing is stored: the page itself carries the fields,
and they only open the form again, for the person who typed them. Files do not go along.
"""

MARK = "nhap."  # before the name of a field, on the login page
LEFT_OUT = ("csrfmiddlewaretoken", "luu")  # so that the form is opened, not sent
WRITER = "nguoi"  # the person whose page it was


def sent_by(request):
    """[(name, text)] of a record form that was just sent and could not be taken; [] of any other."""
    if request.method != "POST" or not {"form_key", WRITER} <= request.POST.keys():
        return []
    return [(name, text) for name, texts in request.POST.lists() if name not in LEFT_OUT for text in texts]


def through_login(request):
    """[(name, text)] that the login page carried along."""
    lists = request.POST.lists()
    return [(name.removeprefix(MARK), text) for name, texts in lists if name.startswith(MARK) for text in texts]


def is_of(user, content):
    """Whether the person who typed it is `user`: phones are shared."""
    return (WRITER, str(user.pk)) in content


def is_from_own_page(request):
    """Whether a page of this site sent it. What another site sends is shown to nobody."""
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
