"""Workbooks of units and of users (headers and rules: CONTRACT.md, DESIGN.md §4)."""

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models.functions import Lower

from unionwork.columns import BATCH, ChoiceColumn, DateColumn, ReferenceColumn, TextColumn, as_text
from unionwork.imports import StrictResource
from units import access, journal, organising, people, tree
from units.import_order import circles, depths
from units.models import Placement, Role, Unit, UnitKind, User

LONGEST_USERNAME = AbstractUser._meta.get_field("username").max_length


def fetch_by_code(queryset, codes):
    """{code in small letters: unit} of the units with these codes, whatever their case."""
    wanted, found = sorted({code.lower() for code in codes}), {}
    for start in range(0, len(wanted), BATCH):
        rows = queryset.annotate(small=Lower("code")).filter(small__in=wanted[start : start + BATCH])
        found |= {unit.small: unit for unit in rows}
    return found


class UnitResource(StrictResource):
    """New units and corrections of known ones, which a code tells apart; superiors may stand anywhere in the file.

    `move` is `activities.moving.move_unit`, handed in because stored totals move along: a floor above this one.
    """

    code = TextColumn("Mã", max_length=30, required=True)
    name = TextColumn("Tên", max_length=200, required=True)
    short_name = TextColumn("Tên ngắn", max_length=80)
    kind = ChoiceColumn("Loại", lambda r: {kind.name: kind for kind in UnitKind.objects.all()}, required=True)
    superior = TextColumn("Mã cấp trên", max_length=30)
    sector = TextColumn("Khối đối tượng", max_length=60)
    founded = DateColumn("Ngày thành lập")
    dissolved = DateColumn("Ngày giải thể")
    successor = TextColumn("Mã đơn vị kế thừa", max_length=30)
    key = ("code",)
    field_columns = {"parent": "superior"}
    facts = ("name", "short_name", "kind", "sector", "founded", "dissolved")

    def __init__(self, *, user, move=None):
        super().__init__(user=user)
        self.move = move

    # --- reading ---

    def before_import(self, dataset, **kwargs):
        super().before_import(dataset, **kwargs)
        named = {name: [as_text(cell) for cell in dataset[self.fields[name].column_name] if cell is not None]
                 for name in ("code", "superior", "successor")}  # fmt: skip
        codes = {code for column in named.values() for code in column}
        self.known = fetch_by_code(Unit.objects.select_related("kind", "successor"), codes)
        self.visible = fetch_by_code(Unit.objects.visible_to(self.user), codes).keys()
        self.editable = fetch_by_code(Unit.objects.editable_by(self.user), codes).keys()
        self.movable = fetch_by_code(Unit.objects.movable_by(self.user), codes).keys()
        current = Placement.objects.current().values_list("unit__code", "parent__code")
        self.spelled = {unit.lower(): unit for unit, _ in current}
        self.superiors = {unit.lower(): parent and parent.lower() for unit, parent in current}
        self.listed = {code.lower() for code in named["code"]}
        self.rows, self.new = {}, {}
        self.rekinded, self.waiting, self.placeless = set(), [], set()

    def write(self, row):
        """Judges one row by itself; `finish` writes them all, once every superior is known."""
        code, unit = row["code"], self.known.get(row["code"].lower())
        small = code.lower()
        if small in self.rows:
            raise ValidationError({"code": f"chỉ khác mã ở dòng {self.rows[small].number} ở chữ hoa, chữ thường"})
        if unit is None:
            organising.check_code(code)
            unit = Unit(code=code, **{field: row[field] for field in self.facts})
            organising.check(unit)
            self.new[small] = unit
        elif unit.code != code:
            raise ValidationError({"code": f"đã có đơn vị mã “{unit.code}”; viết đúng chữ hoa, chữ thường"})
        elif small not in self.editable:
            raise ValidationError({"code": f"mã “{code}” là của đơn vị ngoài phạm vi quản trị của bạn"})
        self._check_superior(row, small)
        self.rows[small] = row
        return small in self.new

    def _check_superior(self, row, small):
        superior, now = row["superior"].lower(), self.superiors.get(small)
        if not superior:
            if now:
                message = f"để trống, nhưng đơn vị đang trực thuộc “{self.spelled[now]}”; ghi mã cấp trên"
                raise ValidationError({"superior": message})
            if small in self.new and not self.user.is_superuser:
                raise ValidationError(
                    {"superior": "chưa nhập; chỉ quản trị hệ thống mới lập được đơn vị không có cấp trên"}
                )
        elif superior == now:
            return
        elif superior == small:
            raise ValidationError({"superior": "đơn vị không thể trực thuộc chính nó"})
        elif superior not in self.listed and superior not in self.editable:
            raise ValidationError(
                {"superior": f"không có đơn vị mã “{row['superior']}” trong phạm vi quản trị của bạn"}
            )
        elif small not in self.new and small not in self.movable:
            raise ValidationError(
                {"superior": "chuyển đơn vị này cần quyền quản trị ở cấp trên hiện nay của nó; giữ nguyên mã cấp trên"}
            )

    # --- writing ---

    def finish(self):
        with journal.kept() as notes:
            self._write_all()
        journal.write(notes)

    def _write_all(self):
        tree.lock_exclusive()
        planned = self.superiors | {small: row["superior"].lower() or None for small, row in self.rows.items()}
        for circle in circles(planned):
            for start, small in enumerate(circle):
                if small in self.rows:
                    way = " → ".join(map(self._named, [*circle[start:], *circle[:start], small]))
                    self.report(self.rows[small].number, "Mã cấp trên", f"các đơn vị nối thành vòng: {way}")
        depth = depths(planned)
        order = sorted((small for small in self.rows if small in depth), key=depth.get)
        added = organising.add_many(units=[self.new[small] for small in order if small in self.new], actor=self.user)
        self.known |= {unit.code.lower(): unit for unit in added}
        for step in (self._correct, self._settle):
            for small in order:
                with self._collecting(self.rows[small].number), transaction.atomic():
                    step(small, self.rows[small])
        self._place_waiting()
        for small in self.rekinded:
            with self._collecting(self.rows[small].number):
                organising.check_below(self.known[small])
        pairs = [(unit, self.known.get(self.rows[unit.code.lower()]["superior"].lower())) for unit in added]
        organising.note_added(pairs, actor=self.user)

    def _named(self, small):
        row = self.rows.get(small)
        return f"{row['code']} (dòng {row.number})" if row else self.spelled.get(small, small)

    def _correct(self, small, row):
        """Write what the row says of the unit itself."""
        unit, wanted = self.known[small], {field: row[field] for field in self.facts}
        wanted["successor"] = self._successor(row["successor"])
        if any(getattr(unit, field) != value for field, value in wanted.items()):
            if unit.kind != row["kind"]:
                self.rekinded.add(small)
            organising.update_unit(unit=unit, actor=self.user, **wanted)
            for field, value in wanted.items():
                setattr(unit, field, value)

    def _successor(self, code):
        small = code.lower()
        if not code or (small in self.listed and small not in self.rows):  # its own row was refused
            return None
        if small not in self.rows and small not in self.visible:
            raise ValidationError({"successor": f"không có đơn vị mã “{code}” trong phạm vi của bạn"})
        return self.known.get(small)

    def _settle(self, small, row):
        """Give the unit its place. New ones wait for each other, until a move needs the tree as it then is."""
        above = row["superior"].lower()
        unit, parent = self.known[small], self.known.get(above)
        is_new = small in self.new or small not in self.superiors
        if is_new:
            self.placeless.add(small)
        if above and (parent is None or parent.pk is None or above in self.placeless):
            return  # the superior's row was refused
        moves = not is_new and self.superiors[small] != (above or None)
        if is_new or moves or small in self.rekinded:
            organising.check_superior(unit, parent)
        if is_new:
            self.waiting.append((unit, parent))
            self.placeless.discard(small)
        elif moves:
            self._place_waiting()
            year = Placement.objects.current().get(unit=unit).year
            self.move(unit=unit, parent=parent, year=year, actor=self.user, reason="Nhập danh sách đơn vị")

    def _place_waiting(self):
        waiting, self.waiting = self.waiting, []
        if waiting:
            _, nowhere = tree.place_many(pairs=waiting)
            for unit in nowhere:
                self.report(self.rows[unit.code.lower()].number, "Ngày thành lập", tree.NO_YEAR)

    # --- template ---

    def template(self, rows=(), *, unit=None, year=None, **kwargs):
        """The workbook to fill; with `unit` prefilled with it and everything below it in the tree of `year`."""
        return super().template(rows or self._prefilled(unit, year), **({"title": "Đơn vị"} | kwargs))

    def _prefilled(self, unit, year):
        return [
            [
                row.unit.code,
                row.unit.name,
                row.unit.short_name,
                row.unit.kind.name,
                row.parent.code if row.parent else None,
                row.unit.sector,
                row.unit.founded,
                row.unit.dissolved,
                row.unit.successor.code if row.unit.successor else None,
            ]
            for row in placed_below(self.user, access.MANAGE_UNITS, unit, year).select_related(
                "parent", "unit__successor"
            )
        ]


def placed_below(user, act, unit, year):
    """Placements, in this year's or today's tree, of `unit` and what is below it and within the user's reach."""
    if unit is None:
        return Placement.objects.none()
    placements = Placement.objects.filter(year=tree.nearest_year(year)) if year else Placement.objects.current()
    here = placements.filter(unit=unit).values_list("path", flat=True).first()
    if here is None:
        return Placement.objects.none()
    reached = Unit.objects.reached(user, act)
    return placements.below(here).filter(unit__in=reached).select_related("unit__kind").order_by("path")


class RoleColumn(ChoiceColumn):
    """Roles by their labels or shorter words; the drop-down list offers the labels only."""

    def labels(self, resource):
        return list(access.RoleName.labels)

    def prepare(self, resource, cells):
        super().prepare(resource, cells)
        self._labels = self.labels(resource)


class UserResource(StrictResource):
    """Accounts with their roles: a row a role. Roles are added, never taken away; passwords are set elsewhere."""

    username = TextColumn("Tên đăng nhập", max_length=LONGEST_USERNAME, required=True)
    full_name = TextColumn("Họ và tên", max_length=100)
    phone = TextColumn("Điện thoại", max_length=30)
    role = RoleColumn("Vai trò", access.ROLE_WORDS, required=True)
    unit = ReferenceColumn(
        "Mã đơn vị",
        lambda r: Unit.objects.reached(r.user, access.MANAGE_PEOPLE).with_today(),
        required=True,
        missing="không có đơn vị mã “{}” trong phạm vi quản trị của bạn",
    )
    key = ("username", "role", "unit")

    def before_import(self, dataset, **kwargs):
        super().before_import(dataset, **kwargs)
        cells = {as_text(cell) for cell in dataset[self.fields["username"].column_name] if cell is not None}
        names, self.accounts = sorted({cell.lower() for cell in cells}), {}
        for start in range(0, len(names), BATCH):
            rows = User.objects.annotate(small=Lower("username")).filter(small__in=names[start : start + BATCH])
            self.accounts |= {user.small: user for user in rows}
        self.held = people.held_by([user.pk for user in self.accounts.values()])
        self.said, self.notes = {}, []

    def write(self, row):
        with journal.kept(self.notes):
            return self._write(row)

    def finish(self):
        journal.write(self.notes)

    def _write(self, row):
        user = self.accounts.get(row["username"].lower())
        self._check_same_person(row)
        created = user is None
        if created:
            user = people.add_person(
                username=row["username"],
                full_name=row["full_name"],
                phone=row["phone"],
                actor=self.user,
                unit=row["unit"],
            )
        else:
            self._check_may_change(user, row)
            people.correct_person(
                user=user, full_name=row["full_name"], phone=row["phone"], actor=self.user, unit=row["unit"]
            )
        path = row["unit"].today_path or ""
        people.grant_role(actor=self.user, user=user, role=row["role"], unit=row["unit"], path=path)
        if created:
            self.accounts[row["username"].lower()] = user
        return created

    def _check_may_change(self, user, row):
        if user.username != User.normalize_username(row["username"]):
            raise ValidationError({"username": f"đã có tài khoản “{user.username}”; viết đúng chữ hoa, chữ thường"})
        if not access.may_change(self.user, is_superuser=user.is_superuser, held=self.held[user.pk]):
            raise PermissionDenied(
                f"tài khoản “{user.username}” có vai trò ngoài phạm vi bạn quản trị nên không sửa được ở đây"
            )

    def _check_same_person(self, row):
        """Rows of one username that name two persons are a slip, not two roles."""
        for name in ("full_name", "phone"):
            if row[name]:
                first, value = self.said.setdefault((row["username"].lower(), name), (row.number, row[name]))
                if value != row[name]:
                    raise ValidationError({name: f"khác dòng {first} của cùng tài khoản (“{value}”)"})

    def template(self, rows=(), *, unit=None, year=None, **kwargs):
        """The workbook to fill; with `unit` prefilled with the people there and below, and the codes to choose."""
        placed = placed_below(self.user, access.MANAGE_PEOPLE, unit, year)
        codes = {"Mã đơn vị": list(placed.values_list("unit__code", flat=True))}
        held = Role.objects.filter(unit__in=placed.values("unit_id")).select_related("user", "unit")
        rows = rows or [
            [role.user.username, role.user.full_name, role.user.phone, role.get_role_display(), role.unit.code]
            for role in held.order_by("user__sort", "user_id", "pk")
        ]
        return super().template(rows, **({"title": "Tài khoản", "choices": codes} | kwargs))


RESOURCES = {"units": UnitResource, "users": UserResource}
