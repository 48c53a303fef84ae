"""Own error pages, in the reader's words. They never say what it was that was not found or refused."""

import logging
import secrets

from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpResponseServerError
from django.shortcuts import render
from django.template import loader

from unionwork import carrying

logger = logging.getLogger(__name__)


def bad_request(request, exception=None):
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return render(request, "413.html", status=413)
    return render(request, "400.html", status=400)


def forbidden(request, exception=None):
    return render(request, "403.html", {"who_may": _who_may(request)}, status=403)


def csrf_failure(request, reason=""):
    """A form whose page is older than the session: nothing was saved, and what was typed can be opened again."""
    carried = carrying.sent_by(request) if carrying.is_from_own_page(request) else []
    return render(request, "403_csrf.html", {"carried": carried}, status=403)


def not_found(request, exception=None):
    return render(request, "404.html", status=404)


def server_error(request):
    """Needs neither database nor session. The code is what a caller reads out and what the log shows."""
    code = secrets.token_hex(3).upper()
    logger.error("Mã sự cố %s: %s %s", code, request.method, request.path)
    return HttpResponseServerError(loader.render_to_string("500.html", {"code": code}))


def _who_may(request):
    """The roles that may do what the address does: "Bí thư hoặc Văn phòng"; "" when it is no matter of roles."""
    match = request.resolver_match
    declared = getattr(match and match.func, "policy", None)
    roles = getattr(declared and declared.act, "roles", ())
    names = " hoặc ".join(sorted(role.label for role in roles))
    return f"{names} ở cấp Trung ương" if names and declared.act.central_only else names


class RefuseNul:
    """Middleware: a NUL in an address was not typed by a person, and PostgreSQL refuses to compare with it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "\0" in request.path_info or any("\0" in value for row in request.GET.lists() for value in row[1]):
            raise BadRequest("NUL")
        return self.get_response(request)
