"""Lists under a name: open, save, rename, share and remove them."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from activities.lists import saved_filters
from activities.lists.list_views import filtered
from activities.models import SavedFilter
from unionwork.fields import CodeField
from unionwork.parameters import way_back
from unionwork.policy import policy
from units import access
from units.models import Unit
from units.scope import home_unit


class SavedFilterForm(forms.Form):
    name = forms.CharField(label="Tên bộ lọc", max_length=saved_filters.LONGEST_NAME)
    unit = CodeField(
        queryset=Unit.objects.none(),
        missing="Không có đơn vị tên hoặc mã này trong phạm vi của bạn.",
        required=False,
        widget=forms.TextInput(attrs={"list": "don-vi-cua-toi", "autocomplete": "off"}),
        label="Dùng chung với người của đơn vị",
        help_text="Tên hoặc mã đơn vị; để trống nếu chỉ mình bạn dùng. "
        "Mỗi người mở bộ lọc chỉ thấy hoạt động trong phạm vi của mình.",
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = Unit.objects.visible_to(user)

    def keep(self, verb, **given):
        """Call the verb with what was entered; False when that or the verb refuses, with the reason on the form."""
        if not self.is_valid():
            return False
        try:
            verb(name=self.cleaned_data["name"], unit=self.cleaned_data["unit"], **given)
        except ValidationError as error:
            self.add_error(None, error)
            return False
        return True


@policy(access.VIEW, relation="none")
def saved_filter(request, pk):
    """One short address for the list; the year in view stays unless the filter has its own."""
    if saved_filters.was_deleted_by(request.user, pk):
        return _gone(request)
    saved = get_object_or_404(SavedFilter.objects.visible_to(request.user), pk=pk)
    query = saved_filters.known(QueryDict(saved.query))
    if request.GET.get("nam") and "nam" not in query:
        query["nam"] = request.GET["nam"]
    return redirect(f"{reverse('activity_list')}?{query.urlencode()}")


@policy(access.VIEW, relation="none", methods="GET POST")
def saved_filter_add(request):
    """Save the list that the address describes."""
    _, filters = filtered(request)
    list_url = f"{reverse('activity_list')}?{saved_filters.known(request.GET).urlencode()}"
    if not filters.form.is_valid():
        messages.error(request, "Bộ lọc có điều kiện chưa đúng. Sửa lại rồi lưu.")
        return redirect(list_url)
    form = SavedFilterForm(request.POST or None, user=request.user)
    if request.method == "POST":
        try:
            query = saved_filters.query_of(request.GET)
        except ValidationError as error:
            messages.error(request, error.message)
            return redirect(list_url)
        if form.keep(saved_filters.save, user=request.user, query=query):
            messages.success(request, f"Đã lưu bộ lọc “{form.cleaned_data['name']}”.")
            return redirect(list_url)
    return _form(request, form, chips=filters.chips(), back_url=list_url)


@policy(access.VIEW, relation="none", methods="GET POST")
def saved_filter_edit(request, pk):
    if saved_filters.was_deleted_by(request.user, pk):
        return _gone(request)
    saved = _own_or_refused(request, pk)
    before = {"name": saved.name, "unit": saved.unit.code if saved.unit else ""}
    form = SavedFilterForm(request.POST or None, initial=before, user=request.user)
    if request.method == "POST" and form.keep(saved_filters.change, saved=saved, actor=request.user):
        messages.success(request, "Đã sửa bộ lọc.")
        return redirect(_list(request))
    return _form(request, form, saved=saved, back_url=_list(request))


def _form(request, form, **context):
    context |= {"form": form, "home": home_unit(request.user)}
    return render(request, "activities/saved_filter_form.html", context, status=422 if form.errors else 200)


@policy(access.VIEW, relation="none", methods="POST")
def saved_filter_delete(request, pk):
    if saved_filters.was_deleted_by(request.user, pk):
        return _gone(request)
    saved = _own_or_refused(request, pk)
    if saved_filters.delete(saved=saved, actor=request.user):
        messages.success(request, f"Đã xoá bộ lọc “{saved.name}”.")
    return redirect(_list(request))


def _gone(request):
    """The page of a filter that the reader removed: pressed twice, or come back to."""
    messages.info(request, "Bạn đã xoá bộ lọc này rồi.")
    return redirect(_list(request))


def _list(request):
    """The list from which one came."""
    return way_back(request) or reverse("activity_list")


def _own_or_refused(request, pk):
    found = SavedFilter.objects.visible_to(request.user).select_related("unit")
    saved = get_object_or_404(found, pk=pk)
    if saved.user_id != request.user.pk:
        raise PermissionDenied("Chỉ người đã lưu bộ lọc này sửa và xoá được.")
    return saved
