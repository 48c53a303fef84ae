"""One's own settings: single-key shortcuts, the address and the daily mail. Nobody else's account is reached here."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from unionwork.parameters import own_path
from unionwork.policy import ANY_USER, policy
from units import people
from units.models import User


class MailForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["email", "wants_mail"]
        labels = {"email": "Địa chỉ thư điện tử", "wants_mail": "Mỗi sáng gửi cho tôi thư “Việc hôm nay”"}
        help_texts = {
            "email": "Đổi địa chỉ được ghi vào nhật ký, vì thư nói đến việc của đơn vị.",
            "wants_mail": "Ngày không có việc gì chờ thì không gửi; ban đêm (21:00–07:00) không bao giờ gửi.",
        }

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("wants_mail") and not cleaned.get("email") and "email" not in self.errors:
            self.add_error("email", "Ghi địa chỉ thư để nhận thư hằng ngày, hoặc bỏ chọn ô bên dưới.")
        return cleaned


class KeysForm(forms.Form):
    """`bat`: "1" switches the shortcuts on, "0" off; `next`: the page to go back to."""

    bat = forms.TypedChoiceField(choices=[("1", "bật"), ("0", "tắt")], coerce=lambda text: text == "1")
    next = forms.CharField(required=False)


@policy(ANY_USER, relation="none", methods="GET POST")
def account(request):
    """The own settings; a POST keeps the address and whether to write to it."""
    form = MailForm(request.POST if request.method == "POST" else None, instance=_myself(request))
    if request.method == "POST" and form.is_valid():
        people.set_mail(user=request.user, **form.cleaned_data)
        messages.success(request, "Đã lưu.")
        return redirect("account")
    context = {"form": form, "mail_is_on": settings.MAIL_IS_ON}
    return render(request, "units/account.html", context, status=422 if form.errors else 200)


def _myself(request):
    """The user, fresh: a form that is refused leaves what it read on its instance, and the frame shows the other."""
    return User.objects.get(pk=request.user.pk)


@policy(ANY_USER, relation="none", methods="POST")
def settings_keys(request):
    """Switch the single-key shortcuts on or off. Answers a script with 204, a form by going back."""
    form = KeysForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Chưa rõ bật hay tắt phím tắt. Chọn lại ở trang này.")
        return redirect("account")
    wanted = form.cleaned_data["bat"]
    User.objects.filter(pk=request.user.pk).update(uses_keys=wanted)
    if request.htmx or request.headers.get("X-Requested-With") == "fetch":
        return HttpResponse(status=204)
    messages.success(request, "Đã bật phím tắt." if wanted else "Đã tắt phím tắt.")
    return redirect(own_path(form.cleaned_data["next"]) or "account")
