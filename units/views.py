"""The unit tree, finding units, adding and renaming them. Moving one is `activities.moving_views`."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from unionwork.policy import policy
from unionwork.text import fold
from units import access, organising, outline
from units.forms import RenameForm, UnitForm, show_refusal
from units.models import Placement, Unit
from units.scope import chosen_tree

LEAST_LETTERS = 2
MOST_RESULTS = 20
MOST_CHOSEN = 50


def managed_unit(user, code):
    """The unit, if the user manages it. Raises Http404 out of scope, PermissionDenied without the right."""
    unit = get_object_or_404(Unit.objects.visible_to(user).select_related("kind"), code=code)
    if not Unit.objects.editable_by(user).filter(pk=unit.pk).exists():
        raise PermissionDenied
    return unit


@policy(access.VIEW, relation="subtree")
def unit_tree(request):
    """The tree of a year: `?mo=` (repeated) names the open units, `?q=` searches without dấu."""
    tree_year = chosen_tree(request.GET.get("nam", ""))
    text = request.GET.get("q", "").strip()
    context = {"q": text, "can_add": access.MANAGE_UNITS.held_by(request.user), "tree_year": tree_year}
    if tree_year:
        if text:
            shown = outline.search(request.user, tree_year.pk, text)
        else:
            opened = request.GET.getlist("mo") if "mo" in request.GET else None
            shown = outline.browse(request.user, tree_year.pk, opened)
        _link(shown.roots, shown.opened, request.GET.get("nam", ""))
        context |= {"outline": shown, "nodes": shown.roots}
    return render(request, "units/unit_tree.html", context)


def _link(nodes, opened, year):
    """Gives each node the address of its own page and of the tree with it opened or closed."""
    kept = [("nam", year)] if year else []
    for node in nodes:
        code = node.unit.code
        node.url = f"{reverse('unit_detail', args=[code])}?{urlencode(kept)}".rstrip("?")
        if node.is_open:
            inside = _open_codes(node)
            codes = [other for other in opened if other not in inside] or [""]
        else:
            codes = [*opened, code]
        node.toggle_url = f"{reverse('unit_tree')}?{urlencode([*kept, *(('mo', each) for each in codes)])}"
        _link(node.children, opened, year)


def _open_codes(node):
    codes = {node.unit.code}
    for child in node.children:
        if child.is_open:
            codes |= _open_codes(child)
    return codes


@policy(access.VIEW, relation="none")
def unit_search(request):
    """Any unit of today's tree by its name, for pickers: hosts of a joint activity cross khối and provinces.

    Of a unit outside the scope it tells the name and the superior, nothing else.
    """
    text = request.GET.get("q", "").strip()
    chosen = request.GET.getlist("hosts")[:MOST_CHOSEN]
    rows = Placement.objects.current().select_related("unit", "parent").order_by("unit__sort", "unit_id")
    found = []
    if len(fold(text)) >= LEAST_LETTERS:
        living = Unit.objects.filter(dissolved=None).matching(text)
        found = list(rows.filter(unit__in=living).exclude(unit__code__in=chosen)[: MOST_RESULTS + 1])
    context = {
        "q": text,
        "is_short": 0 < len(fold(text)) < LEAST_LETTERS,
        "chosen": list(rows.filter(unit__code__in=chosen)) if chosen else [],
        "found": found[:MOST_RESULTS],
        "capped": len(found) > MOST_RESULTS,
    }
    if request.htmx and not request.htmx.boosted:
        return render(request, "units/_hosts.html", context)
    mine = Unit.objects.visible_to(request.user).filter(pk__in=[row.unit_id for row in found])
    context["mine"] = set(mine.values_list("pk", flat=True))
    return render(request, "units/unit_search.html", context)


@policy(access.MANAGE_UNITS, relation="subtree", methods="GET POST")
def unit_add(request):
    """A new unit under `?cap-tren=`; without it the superior is chosen first. `?goc=1`: a root, by a superuser."""
    is_root = "goc" in request.GET
    if is_root and not request.user.is_superuser:
        raise PermissionDenied
    if not is_root and not request.GET.get("cap-tren"):
        return _choose_superior(request)
    parent = None if is_root else managed_unit(request.user, request.GET["cap-tren"])
    form = UnitForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            unit = organising.add_unit(parent=parent, actor=request.user, **form.cleaned_data)
        except ValidationError as refused:
            show_refusal(form, refused)
        else:
            messages.success(request, f"Đã thêm “{unit.name}”.")
            return redirect("unit_detail", unit.code)
    context = {"form": form, "parent": parent}
    return render(request, "units/unit_add.html", context, status=422 if form.errors else 200)


def _choose_superior(request):
    text = request.GET.get("tim", "").strip()
    units = Unit.objects.editable_by(request.user).matching(text).select_related("kind").order_by("sort", "pk")
    found = list(units[: MOST_RESULTS + 1])
    context = {"tim": text, "found": found[:MOST_RESULTS], "capped": len(found) > MOST_RESULTS}
    return render(request, "units/choose_superior.html", context | {"can_add_root": request.user.is_superuser})


@policy(access.MANAGE_UNITS, relation="subtree", methods="GET POST")
def unit_rename(request, code):
    """New names; the old name stays searchable."""
    unit = managed_unit(request.user, code)
    form = RenameForm(
        request.POST or None, initial={"name": unit.name, "short_name": unit.short_name, "was": unit.name}
    )
    if request.method == "POST" and form.is_valid():
        try:
            changed = organising.rename_unit(unit=unit, actor=request.user, **form.cleaned_data)
        except ValidationError as refused:
            show_refusal(form, refused)
        else:
            messages.success(
                request, f"Đã đổi tên thành “{form.cleaned_data['name']}”." if changed else "Tên không thay đổi."
            )
            return redirect("unit_detail", unit.code)
    context = {"form": form, "unit": unit}
    return render(request, "units/unit_rename.html", context, status=422 if form.errors else 200)
