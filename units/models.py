"""Who: the organisation, its tree year by year, its people and their roles."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q

from unionwork.text import fold, name_sort, nfc, sort_text
from unionwork.verbs import in_words
from units import access, querysets, scope


class Level(models.TextChoices):
    CENTRAL = "central", "Trung ương"
    PROVINCE = "province", "Tỉnh"
    DISTRICT = "district", "Khối / huyện"
    BASE = "base", "Cơ sở"
    BRANCH = "branch", "Chi đoàn"


class UnitKind(models.Model):
    """Loại đơn vị, as data: kinds come and go with reorganisations, levels stay."""

    code = models.SlugField("mã", primary_key=True)
    name = models.CharField("tên", max_length=100, unique=True)
    level = models.CharField("cấp", max_length=10, choices=Level)
    position = models.PositiveSmallIntegerField("thứ tự", default=0)

    class Meta:
        ordering = ["position", "code"]
        verbose_name = "loại đơn vị"

    def __str__(self):
        return self.name


class Unit(models.Model):
    """Identity of an organisation. Where it stands in a year's tree is `Placement`."""

    code = models.CharField("mã", max_length=30, unique=True, error_messages={"unique": "Đã có đơn vị mang mã này."})
    name = models.CharField("tên", max_length=200)
    short_name = models.CharField("tên ngắn", max_length=80, blank=True)
    kind = models.ForeignKey(UnitKind, models.PROTECT, verbose_name="loại", related_name="units")
    sector = models.CharField("khối đối tượng", max_length=60, blank=True, db_index=True)
    founded = models.DateField("ngày thành lập", null=True, blank=True)
    dissolved = models.DateField("ngày giải thể", null=True, blank=True)
    successor = models.ForeignKey(
        "self", models.PROTECT, verbose_name="đơn vị kế thừa", null=True, blank=True, related_name="predecessors"
    )
    former_names = models.TextField("tên trước đây", blank=True)
    stated_parts = models.JSONField("cơ cấu theo văn bản", default=dict, blank=True)
    search = models.TextField(editable=False)
    sort = models.CharField(max_length=300, editable=False, db_index=True)

    objects = scope.UnitQuerySet.as_manager()

    class Meta:
        ordering = ["sort", "pk"]
        verbose_name = "đơn vị"
        constraints = [
            models.CheckConstraint(
                name="unit_not_its_own_successor",
                condition=Q(successor__isnull=True) | ~Q(successor=F("pk")),
                violation_error_message="Đơn vị không thể kế thừa chính mình.",
            ),
        ]

    def __str__(self):
        return self.label

    def save(self, *, update_fields=None, **kwargs):
        self.prepare()
        if update_fields is not None:
            update_fields = {*update_fields, "search", "sort"}
        super().save(update_fields=update_fields, **kwargs)

    def prepare(self):
        """Keep the folded search text and the Vietnamese sort key beside the names; bulk writers call it themselves."""
        self.name, self.short_name = nfc(self.name), nfc(self.short_name)
        self.search = fold(" ".join([self.code, self.name, self.short_name, self.former_names]))
        self.sort = sort_text(self.name)

    @property
    def label(self):
        """The name where space is short."""
        return self.short_name or self.name

    @property
    def earlier_names(self):
        """Former names, the oldest first, on one line."""
        return "; ".join(self.former_names.splitlines())


class TreeYear(models.Model):
    """A year that has a tree of its own. Frozen: its work year is closed and its tree never changes again."""

    year = models.PositiveSmallIntegerField("năm", primary_key=True)
    frozen = models.BooleanField("đã khoá", default=False)

    class Meta:
        ordering = ["year"]

    def __str__(self):
        return str(self.year)


class Placement(models.Model):
    """Where a unit stands in one year's tree: the only source of structure. Written by `units.tree` alone.

    `path` is the ancestors' and the unit's primary keys, six upper-case base-36 digits each, no separators.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="placements")
    year = models.PositiveSmallIntegerField("năm")
    parent = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="child_placements")
    path = models.CharField(max_length=120)
    level = models.CharField("cấp", max_length=10, choices=Level)

    objects = scope.PlacementQuerySet.as_manager()

    class Meta:
        verbose_name = "vị trí trong cây"
        constraints = [
            models.UniqueConstraint(fields=["unit", "year"], name="one_placement_a_year"),
            models.UniqueConstraint(fields=["year", "path"], name="one_unit_a_path"),
            models.CheckConstraint(
                name="placement_not_under_itself", condition=Q(parent__isnull=True) | ~Q(parent=F("unit"))
            ),
        ]
        indexes = [
            models.Index(fields=["year", "parent"], name="placement_children"),
            models.Index(
                fields=["year", "path"], name="placement_subtree", opclasses=["int2_ops", "varchar_pattern_ops"]
            ),
        ]

    def __str__(self):
        return f"{self.unit_id} · {self.year}"


class Move(models.Model):
    """A dated change of superior, with who and why. Never changed afterwards."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="moves")
    year = models.PositiveSmallIntegerField("năm")
    from_parent = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    to_parent = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    reason = models.CharField("lý do", max_length=500)
    actor = models.ForeignKey("User", models.PROTECT, related_name="+")
    at = models.DateTimeField("lúc", auto_now_add=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"{self.unit}: {self.from_parent} → {self.to_parent}"


class Cluster(models.Model):
    """Cụm thi đua: a label per year over units that compete with each other, never a level of the tree."""

    year = models.PositiveSmallIntegerField("năm")
    organizer = models.ForeignKey(Unit, models.PROTECT, verbose_name="đơn vị tổ chức", related_name="clusters")
    name = models.CharField("tên", max_length=200)
    members = models.ManyToManyField(Unit, verbose_name="đơn vị trong cụm", related_name="member_of_clusters")

    class Meta:
        ordering = ["-year", "name"]
        verbose_name = "cụm thi đua"
        constraints = [
            models.UniqueConstraint(
                fields=["year", "organizer", "name"],
                name="one_cluster_name_a_year",
                violation_error_message="Năm này đã có cụm mang tên đó.",
            )
        ]

    def __str__(self):
        return self.name


class User(AbstractUser):
    first_name = None
    last_name = None
    full_name = models.CharField("họ và tên", max_length=100)
    phone = models.CharField("điện thoại", max_length=20, blank=True)
    uses_keys = models.BooleanField("phím tắt", default=True)
    wants_mail = models.BooleanField("nhận thư tổng hợp hằng ngày", default=False)
    sort = models.CharField(max_length=300, editable=False, db_index=True)

    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        ordering = ["sort", "pk"]
        verbose_name = "người dùng"

    def __str__(self):
        return self.full_name or self.username

    def get_full_name(self):
        return self.full_name

    def get_short_name(self):
        return self.full_name.split()[-1] if self.full_name else self.username

    def save(self, *, update_fields=None, **kwargs):
        self.full_name = nfc(self.full_name)
        self.sort = name_sort(self.full_name)
        if update_fields is not None:
            update_fields = {*update_fields, "sort"}
        super().save(update_fields=update_fields, **kwargs)


class Role(models.Model):
    """A person's role on a unit, valid for the unit's whole subtree. What a role may do: `units.access`."""

    user = models.ForeignKey(User, models.CASCADE, related_name="roles")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="roles")
    role = models.CharField("vai trò", max_length=10, choices=access.RoleName)

    class Meta:
        ordering = ["pk"]
        verbose_name = "vai trò"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "unit", "role"],
                name="one_role_a_unit",
                violation_error_message="Người này đã có vai trò đó ở đơn vị.",
            )
        ]

    def __str__(self):
        return f"{self.get_role_display()} · {self.unit}"


class JournalHead(models.Model):
    """The end of one chain of the journal: how long it is and its last hash. Written by `units.journal` alone."""

    chain = models.PositiveBigIntegerField(primary_key=True)  # a unit's key; 0: what concerns no unit
    length = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["chain"]

    def __str__(self):
        return f"{self.chain}: {self.length}"


class JournalEntry(models.Model):
    """Nhật ký: who did what to which object of which unit, when and why. Only ever added (triggers see to it).

    Every unit has a chain of its own: `hash` covers the entry and the hash of the one before it (`units.journal`).
    `verb` is a code of `unionwork.verbs`; `changes`: [[what, old, new]] in words.
    """

    chain = models.PositiveBigIntegerField()
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField("lúc")
    actor = models.ForeignKey(User, models.PROTECT, verbose_name="người", null=True, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name="đơn vị", null=True, related_name="+")
    year = models.PositiveSmallIntegerField("năm công tác", null=True)
    verb = models.CharField("việc", max_length=80)
    object_type = models.CharField(max_length=40)
    object_id = models.BigIntegerField(null=True)
    label = models.CharField("đối tượng", max_length=300)
    reason = models.CharField("lý do", max_length=500, blank=True)
    changes = models.JSONField(default=list, blank=True)
    search = models.TextField(editable=False)
    hash = models.CharField(max_length=64)

    objects = querysets.JournalQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "mục nhật ký"
        constraints = [models.UniqueConstraint(fields=["chain", "number"], name="journal_chain")]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="journal_of_object"),
            models.Index(fields=["-at", "-id"], name="journal_latest_first"),
            models.Index(fields=["unit", "-at"], name="journal_of_unit"),
        ]

    def __str__(self):
        return f"{self.label}: {self.verb_in_words}"

    @property
    def verb_in_words(self):
        return in_words(self.verb)


class NoticeKind(models.TextChoices):
    """What somebody is told of in the app."""

    RETURNED = "returned", "Trả lại"
    CORRECTED = "corrected", "Sửa khi duyệt"
    CORRECTION = "correction", "Bản sửa"
    MERGED = "merged", "Gộp"
    ASSIGNED = "assigned", "Giao chỉ tiêu"
    REPORT = "report", "Báo cáo kỳ"
    REMINDED = "reminded", "Nhắc báo cáo"
    UNLOCKED = "unlocked", "Mở khoá"
    CLOSING = "closing", "Chốt năm"


class Notice(models.Model):
    """Thông báo to one person about something of one unit. `show_at`: not before it, so that nights stay quiet."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notices")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=NoticeKind)
    text = models.CharField(max_length=300)
    url = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    show_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    objects = querysets.NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-show_at", "-pk"]
        verbose_name = "thông báo"
        indexes = [models.Index(fields=["user", "read_at", "-show_at"], name="notice_of_user")]

    def __str__(self):
        return self.text
