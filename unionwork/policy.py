"""Deny by default: a view without a declared policy is never served.

A policy says *who* (an act of `units.access`, or PUBLIC / ANY_USER), on which *relation* of unit the
view works, and with which HTTP *methods*. The door here is coarse: somebody who may do the act on no
unit at all gets 403. Which rows the act reaches is decided by the view's scoped queryset
(`visible_to` / `editable_by`), whose miss is 404.
"""

from dataclasses import dataclass
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpResponseNotAllowed


class Everybody:
    """Stands where an act stands; `held_by` is its whole interface."""

    def __init__(self, code, *, anonymous):
        self.code = code
        self.anonymous = anonymous

    def held_by(self, user):
        return self.anonymous or user.is_authenticated


PUBLIC = Everybody("public", anonymous=True)
ANY_USER = Everybody("any_user", anonymous=False)


@dataclass(frozen=True)
class Policy:
    act: object
    relation: str
    methods: tuple[str, ...]


def policy(act, *, relation, methods="GET"):
    """Declare and enforce a view's policy. `relation`: none, own, subtree, superior (documentation and tests)."""
    allowed = tuple(methods.split())
    answers = allowed + (("HEAD",) if "GET" in allowed else ()) + ("OPTIONS",)

    def decorate(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if request.method not in answers:
                return HttpResponseNotAllowed(answers)
            if not act.held_by(request.user):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.policy = Policy(act, relation, allowed)
        return login_not_required(guarded) if act is PUBLIC else guarded

    return decorate


class PolicyMiddleware:
    """Refuses to serve any view on which no policy was declared."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    def process_view(self, request, view_func, view_args, view_kwargs):
        if not hasattr(view_func, "policy"):
            raise ImproperlyConfigured(f"{view_func.__module__}.{view_func.__qualname__} không khai báo policy.")
