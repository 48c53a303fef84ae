"""Who may do what: the only module that names roles.

A role is held on a unit and is valid for that unit's subtree in the current year's tree. An `Act` lists the
roles that may do it; the rules that a list of roles cannot say stand below the acts.
"""

from dataclasses import dataclass, field

from django.db import models
from django.db.models import F


class RoleName(models.TextChoices):
    CADRE = "cadre", "Cán bộ cơ sở"
    SECRETARY = "secretary", "Bí thư"
    STAFF = "staff", "Văn phòng"
    ADMIN = "admin", "Quản trị"
    VIEWER = "viewer", "Lãnh đạo (xem)"


CADRE, SECRETARY, STAFF, ADMIN, VIEWER = RoleName
# What people write in a workbook's "Vai trò" beside the labels.
ROLE_WORDS = {role.label: role for role in RoleName} | {
    "Cán bộ": CADRE,
    "Cán bộ Đoàn": CADRE,
    "Phó bí thư": SECRETARY,
    "Nhân viên văn phòng": STAFF,
    "Quản trị viên": ADMIN,
    "Lãnh đạo": VIEWER,
    "Xem": VIEWER,
    "Người xem": VIEWER,
}
# A superuser sets the system up: every office act everywhere, but never the review of anybody's record.
SUPERUSER_ROLES = (ADMIN, STAFF)


@dataclass(frozen=True)
class Grant:
    """One role of a user where it stands today. `path` is a prefix of the paths it reaches ("" = everything)."""

    role: str
    unit_id: int | None
    path: str
    level: str
    unit: object = field(default=None, compare=False, repr=False)

    def reaches(self, path):
        return path.startswith(self.path)


@dataclass(frozen=True)
class Act:
    """Something people do on a unit, and the roles that may."""

    code: str
    roles: frozenset
    central_only: bool = False

    def grants(self, user):
        """The user's grants that carry this act."""
        return [
            grant
            for grant in grants(user)
            if grant.role in self.roles and (not self.central_only or grant.level == "central")
        ]

    def held_by(self, user):
        """Whether the user may do this on at least one unit."""
        return bool(user.is_authenticated and self.grants(user))

    def reaches(self, user, path):
        """Whether the user may do this on the unit that stands at `path` in the current tree."""
        return any(grant.reaches(path) for grant in self.grants(user))


def act(code, *roles, central_only=False):
    return Act(code, frozenset(roles), central_only)


VIEW = act("view", *RoleName)
LOG = act("activity.log", CADRE, SECRETARY, STAFF)
REVIEW = act("activity.review", SECRETARY)
SET_TARGETS = act("target.set", STAFF, SECRETARY)
MANAGE_UNITS = act("unit.manage", ADMIN)
MANAGE_PEOPLE = act("people.manage", ADMIN)
MANAGE_CATALOGUE = act("catalogue.manage", STAFF, ADMIN, central_only=True)
EVERY_ACT = (VIEW, LOG, REVIEW, SET_TARGETS, MANAGE_UNITS, MANAGE_PEOPLE, MANAGE_CATALOGUE)

# Levels at which a second person of the same unit may approve; below, only a superior's secretary
# (`activities.querysets.decidable_by`).
REVIEWS_ITSELF = frozenset({"central", "province", "district"})


def grants(user):
    """The user's roles as they stand in today's tree: one query a request, never kept in the session."""
    if not user.is_authenticated or not user.is_active:
        return []
    if not hasattr(user, "_grants"):
        user._grants = list(_load_grants(user))
    return user._grants


def forget_grants(user):
    """For code that changes roles or the tree and goes on with the same user object."""
    user.__dict__.pop("_grants", None)


def _load_grants(user):
    from units.models import Placement

    if user.is_superuser:
        yield from (Grant(role, None, "", "central") for role in SUPERUSER_ROLES)
    rows = Placement.objects.current().filter(unit__roles__user=user).select_related("unit")
    for row in rows.annotate(role=F("unit__roles__role")):
        yield Grant(row.role, row.unit_id, row.path, row.level, row.unit)


def may_grant(user, *, role, path):
    """An admin grants roles inside the own subtree; admin itself only strictly below the own unit."""
    return any(grant.reaches(path) and (role != ADMIN or grant.path != path) for grant in MANAGE_PEOPLE.grants(user))


def may_change(user, *, is_superuser, held):
    """Whether the account of somebody who holds `held` may be changed: each role is one `user` could have granted.

    `held`: (role, path in today's tree or None) pairs. So nobody changes the own account, a peer's or a superior's.
    """
    if user.is_superuser:
        return True
    return not is_superuser and all(path is not None and may_grant(user, role=role, path=path) for role, path in held)
