"""Filling the grid: numbers for every row that was not set by hand. Arithmetic: `targets.split`. Nothing is saved."""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from targets.forms import PlanField
from targets.scale import PERCENT
from targets.split import part_of, share_out
from unionwork.numbers import format_number
from unionwork.text import fold
from units.models import Cluster

LARGEST_PERCENT = 1_000_000  # 10.000%, in hundredths
LONGEST_PASTE = 100_000  # characters
ERRORS_SHOWN = 20


@dataclass
class Grouping:
    """One way to tell the units apart. `groups`: [(key, label, [unit id, …])]."""

    code: str
    label: str
    groups: list = field(default_factory=list)


def groupings(grid):
    """The groupings with at least two groups. One statement (the clusters)."""
    by_kind, by_sector, by_cluster = {}, {}, {}
    for unit in grid.units:
        by_kind.setdefault((unit.kind_id, unit.kind.name), []).append(unit.pk)
        by_sector.setdefault((unit.sector or "-", unit.sector or "Chưa ghi khối"), []).append(unit.pk)
    members = Cluster.objects.filter(year=grid.year.pk, members__in=grid.units).order_by("name", "pk")
    for pk, name, unit in members.values_list("pk", "name", "members__pk"):
        if unit in {row.pk for row in grid.units}:
            by_cluster.setdefault((str(pk), name), []).append(unit)
    found = [
        Grouping("cum", "Theo cụm thi đua", _groups(by_cluster)),
        Grouping("loai", "Theo loại đơn vị", _groups(by_kind)),
        Grouping("khoi", "Theo khối đối tượng", _groups(by_sector)),
    ]
    return [one for one in found if len(one.groups) > (0 if one.code == "cum" else 1)]


def _groups(by_key):
    return [(f"{place}", label, units) for place, ((_, label), units) in enumerate(sorted(by_key.items()))]


def fill(grid, action, data):
    """Fill the grid as the button `action` says; returns what was done in words.

    `data`: what was sent. Raises ValidationError, with one message a wrong line when something was pasted.
    """
    name, _, rest = action.partition(":")
    act = FILLS.get(name)
    if act is None:
        raise ValidationError("Không có cách chia này. Tải lại trang.")
    return act(grid, data, rest)


def _free(grid):
    return [row for row in grid.rows if not row.fixed]


def _put(grid, numbers):
    """Fill the rows that are not fixed; returns how the message ends."""
    without = 0
    for row in _free(grid):
        value = numbers.get(row.unit.pk)
        row.put(value, grid.typed(value))
        without += value is None
    kept = sum(row.fixed for row in grid.rows)
    words = "chưa lưu"
    words += f"; {kept} dòng “giữ” không đổi" if kept else ""
    return words + (f"; {without} đơn vị chưa có căn cứ nên để trống" if without else "")


def _shared(grid, weights):
    """The whole in proportion to `weights` ({unit id: weight or None}), around the rows that are fixed."""
    if not grid.is_total:
        raise ValidationError("Tỷ lệ không chia được theo phần; nhập một tỷ lệ chung hoặc từng đơn vị.")
    known = {pk: weight for pk, weight in weights.items() if weight is not None}
    fixed = {row.unit.pk: row.planned for row in grid.rows if row.fixed}
    if not any(weight for pk, weight in known.items() if pk not in fixed):
        raise ValidationError("Không có đơn vị nào có số để làm căn cứ chia.")
    return share_out(grid.plan.planned, known, fixed)


def _equal(grid, data, rest):
    return f"Đã chia đều, {_put(grid, _shared(grid, {row.unit.pk: 1 for row in grid.rows}))}."


def _by_headcount(grid, data, rest):
    if grid.headcount is None:
        raise ValidationError("Chưa đơn vị nào kê khai số lượng nên chưa chia theo số người được.")
    numbers = _shared(grid, {row.unit.pk: row.headcount for row in grid.rows})
    return f"Đã chia theo số {_small(grid.headcount.name)}, {_put(grid, numbers)}."


def _by_last_result(grid, data, rest):
    numbers = _shared(grid, {row.unit.pk: row.last_result for row in grid.rows})
    return f"Đã chia theo thực hiện năm {grid.last}, {_put(grid, numbers)}."


def _last_plan(grid, data, rest):
    numbers = {row.unit.pk: row.last_plan for row in grid.rows}
    if not any(value is not None for value in numbers.values()):
        raise ValidationError("Năm trước không có ý chỉ tiêu nào giống ý này để chép.")
    return f"Đã chép kế hoạch năm {grid.last}, {_put(grid, numbers)}."


def _percent_of_last_result(grid, data, rest):
    """Everybody the same percentage of what it did last year: 110 is 10% more."""
    percent = _percent(data.get("phan-tram", ""))
    results = {row.unit.pk: row.last_result for row in grid.rows if row.last_result is not None}
    if not results:
        raise ValidationError("Năm trước chưa có số thực hiện để làm căn cứ.")
    numbers = {pk: part_of(value, percent) for pk, value in results.items()}
    if not grid.is_total:
        numbers = {pk: min(value, 10_000) for pk, value in numbers.items()}
    ending = _put(grid, numbers)
    return f"Đã điền {format_number(percent, 2)}% thực hiện năm {grid.last}, {ending}."


def _percent_of_headcount(grid, data, rest):
    """Everybody the same percentage of its headcount."""
    percent = _percent(data.get("phan-tram-nguoi", ""))
    if not grid.is_total or grid.headcount is None:
        raise ValidationError("Chưa đơn vị nào kê khai số lượng nên chưa tính theo số người được.")
    up, down = 10**grid.decimals, 10**grid.headcount.decimals
    numbers = {
        row.unit.pk: part_of(row.headcount * up // down, percent) for row in grid.rows if row.headcount is not None
    }
    ending = _put(grid, numbers)
    return f"Đã điền {format_number(percent, 2)}% số {_small(grid.headcount.name)}, {ending}."


def _same(grid, data, rest):
    """Every unit the same number, or the same percentage."""
    value = _number(grid, data.get("bang-nhau", ""), "Số cho mỗi đơn vị")
    ending = _put(grid, dict.fromkeys((row.unit.pk for row in grid.rows), value))
    return f"Đã điền {grid.words(value)} cho mỗi đơn vị, {ending}."


def _by_group(grid, data, rest):
    """A number per unit for each group; a group left blank keeps what it has."""
    grouping = next((one for one in groupings(grid) if one.code == rest), None)
    if grouping is None:
        raise ValidationError("Không có cách chia nhóm này. Tải lại trang.")
    numbers = {row.unit.pk: row.planned for row in grid.rows}
    for key, label, units in grouping.groups:
        text = data.get(f"nhom-{rest}-{key}", "")
        if text.strip():
            numbers |= dict.fromkeys(units, _number(grid, text, label))
    return f"Đã điền {_small(grouping.label)}, {_put(grid, numbers)}."


def _registered(grid, data, rest):
    """Take what the units registered themselves: of all that did, or of one."""
    wanted = [row for row in grid.rows if row.standing.registered is not None and rest in ("", str(row.unit.pk))]
    if not wanted:
        raise ValidationError("Chưa đơn vị nào đăng ký.")
    for row in wanted:
        if rest or not row.fixed:
            row.put(row.standing.registered, grid.typed(row.standing.registered), by_hand=bool(rest))
    who = f"của {wanted[0].unit}" if rest else f"của {len(wanted)} đơn vị"
    return f"Đã lấy số đăng ký {who}, chưa lưu."


def _pasted(grid, data, rest):
    """A column from Excel: one number a line in the order of the rows, or "tên hoặc mã<TAB>số" lines."""
    text = data.get("dan", "")
    if len(text) > LONGEST_PASTE:
        raise ValidationError("Đoạn dán quá dài.")
    lines = [line.strip(" \r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if not any(line.strip() for line in lines):
        raise ValidationError("Dán một cột số vào ô trước.")
    if any("\t" in line.strip("\t") for line in lines):
        numbers = _named_lines(grid, lines)
    else:
        numbers = _plain_lines(grid, lines)
    count = len(numbers)
    numbers = {row.unit.pk: row.planned for row in grid.rows} | numbers
    return f"Đã điền {count} số dán vào, {_put(grid, numbers)}."


def _plain_lines(grid, lines):
    if len(lines) != len(grid.rows):
        raise ValidationError(
            f"Dán {len(lines)} dòng cho {len(grid.rows)} đơn vị. Dán đủ số dòng theo thứ tự trong bảng, "
            "hoặc dán hai cột: tên (hoặc mã) đơn vị và số."
        )
    found, wrong = {}, []
    for place, (row, line) in enumerate(zip(grid.rows, lines, strict=True), 1):
        try:
            found[row.unit.pk] = grid.number(line.strip())
        except ValidationError as refused:
            wrong.append(f"Dòng {place} ({row.unit}): {refused.messages[0]}")
    return _sound(found, wrong)


def _named_lines(grid, lines):
    names, found, wrong = _names(grid), {}, []
    for place, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, _, number = line.partition("\t")
        units = names.get(fold(name), set())
        if len(units) != 1:
            why = "trùng tên với đơn vị khác, dùng mã đơn vị" if units else "không có trong bảng"
            wrong.append(f"Dòng {place}: “{name.strip()[:60]}” {why}.")
            continue
        unit = next(iter(units))
        if unit in found:
            wrong.append(f"Dòng {place}: “{name.strip()[:60]}” có hai dòng.")
            continue
        try:
            found[unit] = grid.number(number.split("\t")[0].strip())
        except ValidationError as refused:
            wrong.append(f"Dòng {place} ({name.strip()[:60]}): {refused.messages[0]}")
    return _sound(found, wrong)


def _names(grid):
    """{folded name, short name or code: {unit id, …}}; a code that is somebody's wins over a name."""
    names = {}
    for row in grid.rows:
        for name in {fold(row.unit.name), fold(row.unit.short_name)} - {""}:
            names.setdefault(name, set()).add(row.unit.pk)
    return names | {fold(row.unit.code): {row.unit.pk} for row in grid.rows}


def _sound(found, wrong):
    if wrong:
        more = len(wrong) - ERRORS_SHOWN
        raise ValidationError(wrong[:ERRORS_SHOWN] + ([f"Và {more} dòng khác."] if more > 0 else []))
    return found


def _percent(text):
    try:
        value = PlanField(decimals=PERCENT[0], unit=PERCENT[1], label="", required=True).clean(text)
    except ValidationError as refused:
        raise ValidationError(f"Tỷ lệ: {refused.messages[0]}") from refused
    if value > LARGEST_PERCENT:
        raise ValidationError("Tỷ lệ quá lớn.")
    return value


def _number(grid, text, label):
    try:
        value = grid.number(text)
    except ValidationError as refused:
        raise ValidationError(f"{label}: {refused.messages[0]}") from refused
    if value is None:
        raise ValidationError(f"{label}: nhập một số.")
    return value


def _small(name):
    return name[:1].lower() + name[1:]


FILLS = {
    "deu": _equal,
    "dau-nguoi": _by_headcount,
    "nam-truoc": _by_last_result,
    "ke-hoach": _last_plan,
    "phan-tram": _percent_of_last_result,
    "phan-tram-nguoi": _percent_of_headcount,
    "bang-nhau": _same,
    "nhom": _by_group,
    "dang-ky": _registered,
    "dan": _pasted,
    "doi-cot": lambda grid, data, rest: "",  # only another headcount in the column
}
