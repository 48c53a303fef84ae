"""The grid page: one measure over the direct children of the unit in view. Filling shows, saving keeps a draft."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils import timezone

from reports import grid_fill
from reports.grid import Grid
from targets import giving
from targets.assignment import labels
from targets.assignment_views import shared_measure
from targets.in_view import address
from targets.models import MeasureKind
from targets.wording import describe, plan_in_words
from targets.years import of_request
from unionwork.numbers import format_number
from unionwork.policy import policy
from units import access

CONFLICT = 409
FIRST_FILLS = ("deu", "dau-nguoi", "nam-truoc", "ke-hoach", "dang-ky")  # the others are folded away


@policy(access.SET_TARGETS, relation="subtree", methods="GET POST")
def measure_assign(request, pk):
    """What each child of the unit in view is to be given. Buttons named `chia` fill the boxes and save nothing."""
    measure, sharing = shared_measure(request, pk)
    refusal = _refusal(measure, sharing)
    if refusal:
        context = _about(measure, sharing) | {"refusal": refusal}
        return render(request, "reports/grid.html", context, status=422 if request.method == "POST" else 200)
    data = request.POST if request.method == "POST" else request.GET
    last = next((year for year in of_request(request) if year.pk == sharing.year.pk - 1), None)
    grid = Grid(measure, sharing, last, counted_by=data.get("dem", ""))
    if request.method == "GET":
        return _page(request, grid)
    grid.read(request.POST)
    if grid.errors:
        return _page(request, grid, unsaved=True, status=422)
    if "chia" in request.POST:
        return _fill(request, grid)
    try:
        saved = giving.save_draft(
            measure=measure,
            giver=sharing.unit,
            wishes=[row.wish for row in grid.rows if row.posted],
            actor=request.user,
        )
    except giving.Conflict as conflict:
        grid.mark_clash(conflict)
        return _page(request, grid, errors=conflict.messages, unsaved=True, status=CONFLICT)
    except ValidationError as refused:
        return _page(request, grid, errors=refused.messages, unsaved=True, status=422)
    _say(request, grid, saved)
    return redirect(address("measure_assign", pk, year=sharing.year, unit=sharing.unit))


def _refusal(measure, sharing):
    """Why nothing can be given out here, in words; "" when it can."""
    if not sharing.year.is_open:
        return f"Năm công tác {sharing.year} đã đóng nên không giao chỉ tiêu được nữa."
    if measure.kind == MeasureKind.MILESTONE:
        return "“Mốc” áp dụng chung cho mọi đơn vị cấp dưới nên không cần giao số."
    if sharing.plan(measure) is None:
        return f"Ý này chưa được giao cho {sharing.unit} nên chưa giao tiếp cho cấp dưới được."
    if not sharing.children:
        return f"{sharing.unit} không có đơn vị trực thuộc trong năm {sharing.year}."
    return ""


def _fill(request, grid):
    try:
        done = grid_fill.fill(grid, request.POST["chia"], request.POST)
    except ValidationError as refused:
        return _page(request, grid, errors=refused.messages, unsaved=True, status=422)
    return _page(request, grid, done=done, unsaved=True)


def _say(request, grid, saved):
    if saved.changed:
        messages.success(request, f"Đã lưu bản nháp: {len(saved.changed)} đơn vị thay đổi. Cấp dưới chưa thấy.")
    else:
        messages.info(request, "Không có gì thay đổi so với bản đã lưu.")
    if saved.theirs:
        messages.warning(request, f"Người khác vừa sửa {labels(saved.theirs)}; số của họ được giữ.")
    if grid.is_total and not saved.theirs and grid.left > 0:
        messages.warning(request, f"Còn lại {grid.words(grid.left)} chưa chia.")


def _about(measure, sharing):
    return {
        "measure": measure,
        "target": sharing.target,
        "year": sharing.year,
        "unit": sharing.unit,
        "detail_url": address("target_detail", sharing.target.pk, year=sharing.year, unit=sharing.unit),
    }


def _page(request, grid, *, errors=(), done="", unsaved=False, status=200):
    sharing, measure = grid.sharing, grid.measure
    drafts = [row.standing.draft for row in grid.rows if row.standing.waits]
    last_draft = max(drafts, key=lambda row: row.at, default=None)
    context = _about(measure, sharing) | {
        "grid": grid,
        "description": describe(measure),
        "plan": plan_in_words(measure, grid.plan.planned),
        "rows": [_row(grid, row) for row in grid.rows],
        "errors": [*({"id": "", "message": message} for message in errors), *grid.errors],
        "done": done,
        "unsaved": unsaved,
        "balance": _balance(grid),
        "groupings": [_grouping(grid, one, request.POST) for one in grid_fill.groupings(grid)],
        "typed": {
            name.replace("-", "_"): request.POST.get(name, "")
            for name in ("dan", "bang-nhau", "phan-tram", "phan-tram-nguoi")
        },
        "more_open": request.POST.get("chia", "deu").partition(":")[0] not in FIRST_FILLS,
        "has_registered": any(row.standing.registered is not None for row in grid.rows),
        "has_last_plan": any(row.last_plan is not None for row in grid.rows),
        "has_last_result": any(row.last_result is not None for row in grid.rows),
        "last_draft": last_draft,
        "draft_time": timezone.localtime(last_draft.at) if last_draft else None,
        "waiting": len(drafts),
        "issue_url": address("issue", year=sharing.year, unit=sharing.unit) + f"&y={measure.pk}",
        "discard_url": address("draft_discard", measure.pk, year=sharing.year, unit=sharing.unit),
    }
    return render(request, "reports/grid.html", context, status=status)


def _balance(grid):
    """The sticky line: what was received, shared, is left, in words; of percentages what they come to."""
    if not grid.is_total:
        weighted = grid.weighted
        return {
            "common": grid.words(grid.plan.planned),
            "weighted": "chưa tính được vì chưa có số" if weighted is None else grid.words(weighted),
            "floor": grid.floor_in_words,
        }
    left = grid.left
    if left > 0:
        state, words = "warn", f"Còn lại {grid.words(left)}"
    elif left == 0:
        state, words = "good", "Đủ"
    else:
        state, words = "good", f"Vượt {grid.words(-left)} (được phép)"
    return {
        "from": grid.given_by,
        "given": grid.words(grid.plan.planned),
        "shared": grid.words(grid.shared),
        "state": state,
        "left": words,
        "total": grid.plan.planned,
    }


def _row(grid, row):
    """A row as the page prints it, texts ready made."""
    standing = row.standing
    waits = standing.waits and standing.in_force is not None and standing.in_force != standing.planned
    return {
        "pk": row.unit.pk,
        "unit": row.unit,
        "headcount": grid.headcount.format(row.headcount) if grid.headcount else "–",
        "last_plan": _plain(grid, row.last_plan),
        "last_result": _plain(grid, row.last_result),
        "last_raw": "" if row.last_result is None else str(row.last_result),
        "registered": "" if standing.registered is None else _plain(grid, standing.registered),
        "text": row.text,
        "shown": row.shown,
        "seen": "" if row.seen is None else str(row.seen),
        "base": row.base,
        "note": row.note,
        "fixed": row.fixed,
        "errors": row.errors,
        "common": grid.words(row.common) if row.common is not None and not row.text else "",
        "in_force": grid.words(standing.in_force) if waits else "",
        "now": _now(grid, standing) if row.is_clash else "",
        "change": _change(grid, row),
    }


def _plain(grid, value):
    return format_number(value, grid.decimals)


def _now(grid, standing):
    number = "để trống" if standing.planned is None else grid.words(standing.planned)
    note = f", ghi chú “{standing.note}”" if standing.note else ""
    return f"{number}{note} ({standing.draft.actor})" if standing.draft else f"{number}{note}"


def _change(grid, row):
    """Against what the unit reached last year: in percent, for percentages in points; "" when one is not known."""
    planned, last = row.planned, row.last_result
    if planned is None or last is None:
        return ""
    if not grid.is_total:
        return f"{'+' if planned > last else ''}{format_number(planned - last, 2)} điểm"
    if not last:
        return ""
    percent = (2 * abs(planned - last) * 100 + last) // (2 * last)
    sign = "+" if planned > last else "-" if planned < last else ""
    return f"{sign}{format_number(percent)}%"


def _grouping(grid, grouping, data):
    names = {row.unit.pk: row.unit.label for row in grid.rows}
    return {
        "code": grouping.code,
        "label": grouping.label,
        "groups": [
            {
                "name": f"nhom-{grouping.code}-{key}",
                "label": label,
                "count": len(units),
                "examples": ", ".join(names[pk] for pk in units[:2]),
                "text": data.get(f"nhom-{grouping.code}-{key}", ""),
            }
            for key, label, units in grouping.groups
        ],
    }
