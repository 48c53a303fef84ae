"""Signing in and out, and one's own password."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from unionwork import carrying
from unionwork.parameters import own_path
from unionwork.policy import ANY_USER, PUBLIC, policy
from units import people
from units.models import User
from units.phones import phone_digits


class LoginForm(auth_forms.AuthenticationForm):
    username = auth_forms.UsernameField(
        label="Số điện thoại hoặc tên đăng nhập", widget=forms.TextInput(attrs={"spellcheck": "false"})
    )
    password = forms.CharField(
        label="Mật khẩu", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    error_messages = {
        "invalid_login": "Tên đăng nhập hoặc mật khẩu chưa đúng. Kiểm tra phím Caps Lock và bộ gõ tiếng Việt.",
        "inactive": "Tài khoản này đã bị khoá.",
    }

    def clean_username(self):
        return _username(self.cleaned_data["username"])


def _username(text):
    """The user name itself, or that of the one active person who has this telephone number."""
    digits = phone_digits(text)
    if not digits or User.objects.filter(username=text).exists():
        return text
    people = User.objects.filter(is_active=True, phone__endswith=digits[-3:]).only("username", "phone")
    found = [person.username for person in people if phone_digits(person.phone) == digits]
    return found[0] if len(found) == 1 else text


def _destination(request):
    """Where `next` points if that is a page of ours, else the home page."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    return own_path(wanted) or resolve_url(settings.LOGIN_REDIRECT_URL)


@policy(PUBLIC, relation="none", methods="GET POST")
@sensitive_post_parameters("password")
@never_cache
def sign_in(request):
    if request.htmx:
        # A fragment asked for after the session ended: no login page inside the page, what was typed stays.
        return HttpResponse(status=401)
    carried = carrying.through_login(request)
    if request.user.is_authenticated:
        return _go_on(request, carried)
    form = LoginForm(request, data=request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        login(request, form.get_user())
        return _go_on(request, carried)
    next_page = request.POST.get("next") or request.GET.get("next", "")
    return _login_page(request, form, next_page, carried, status=422 if form.errors else 200)


def _login_page(request, form, next_page, carried, *, status):
    context = {"form": form, "next": next_page, "carried": carried, "mark": carrying.MARK}
    return render(request, "registration/login.html", context, status=status)


def _go_on(request, carried):
    """To where the person was going, or to what they had typed when the session ended."""
    if not carried or not carrying.is_of(request.user, carried):
        return redirect(_destination(request))
    return render(request, "registration/go_on.html", {"next": _destination(request), "carried": carried})


class LoginRequired(LoginRequiredMiddleware):
    """Sends the stranger to the login page; a record form that comes after its session ended is not thrown away."""

    def handle_no_permission(self, request, view_func):
        carried = carrying.sent_by(request)
        if not carried or "X-Keep" in request.headers or request.headers.get("HX-Request"):
            return super().handle_no_permission(request, view_func)
        return _login_page(request, LoginForm(request), request.path, carried, status=401)


@policy(PUBLIC, relation="none", methods="POST")
def sign_out(request):
    """Open to anybody: pressing it twice, or after the session ended, is no error."""
    logout(request)
    messages.success(request, "Đã đăng xuất.")
    return redirect("login")


@policy(ANY_USER, relation="none", methods="GET POST")
@sensitive_post_parameters("old_password", "new_password1", "new_password2")
def change_password(request):
    form = auth_forms.PasswordChangeForm(request.user, request.POST if request.method == "POST" else None)
    form.fields["old_password"].widget.attrs.pop("autofocus", None)
    if request.method == "POST" and form.is_valid():
        people.change_password(user=request.user, password=form.cleaned_data["new_password1"])
        update_session_auth_hash(request, request.user)
        messages.success(request, "Đã đổi mật khẩu. Các thiết bị khác phải đăng nhập lại.")
        return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "registration/password_change.html", {"form": form}, status=422 if form.errors else 200)
