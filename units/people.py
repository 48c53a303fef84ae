"""Accounts and the roles people hold. Who may: `units.access`."""

from collections import defaultdict

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, Subquery

from unionwork.text import nfc
from unionwork.verbs import verb
from units import access, journal
from units.models import Placement, Role, User
from units.phones import phone_digits
from units.scope import home_unit

FIELDS = {"full_name": "Họ và tên", "phone": "Điện thoại"}  # as the journal calls them


def held_by(users):
    """{user id: [(role, path in today's tree or None), …]}: one statement."""
    here = Placement.objects.current().filter(unit=OuterRef("unit")).values("path")[:1]
    held = defaultdict(list)
    for user, role, path in (
        Role.objects.filter(user__in=users)
        .order_by("pk")
        .annotate(path=Subquery(here))
        .values_list("user_id", "role", "path")
    ):
        held[user].append((role, path))
    return held


@verb("Thêm tài khoản")
def add_person(*, username, full_name, actor, unit, phone=""):
    """A new account that nobody can log in to until it is given a password. Raises ValidationError by field.

    `unit`: for which it is made; its admins read of it in the journal.
    """
    username, full_name = User.normalize_username(nfc(username)), nfc(full_name)
    errors = {}
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError:
        errors["username"] = "Tên đăng nhập chỉ gồm chữ, số và các dấu @ . + - _, không có khoảng trắng."
    if not full_name:
        errors["full_name"] = "Nhập họ và tên."
    if User.objects.filter(username__iexact=username).exists():
        errors["username"] = f"Đã có tài khoản “{username}”."
    if errors:
        raise ValidationError(errors)
    user = User(username=username, full_name=full_name, phone=clean_phone(phone))
    user.set_unusable_password()
    user.save(force_insert=True)
    said = {"Tên đăng nhập": username} | {label: getattr(user, name) for name, label in FIELDS.items()}
    changes = journal.changed((label, "", text) for label, text in said.items())
    journal.write([journal.Note(add_person.code, user, actor, unit=unit.pk, label=_label(user), changes=changes)])
    return user


@verb("Sửa tài khoản")
def correct_person(*, user, full_name, phone, actor, unit):
    """Correct a name and phone number; blank ones stay as they are. Returns whether anything changed.

    `unit`: one for which the account works.
    """
    wanted = {"full_name": nfc(full_name) or user.full_name, "phone": clean_phone(phone) or user.phone}
    changed = {field for field, value in wanted.items() if getattr(user, field) != value}
    changes = journal.changed((FIELDS[name], getattr(user, name), wanted[name]) for name in FIELDS)
    for field in changed:
        setattr(user, field, wanted[field])
    if changed:
        user.save(update_fields=changed)
        journal.write(
            [journal.Note(correct_person.code, user, actor, unit=unit.pk, label=_label(user), changes=changes)]
        )
    return bool(changed)


@verb("Cấp vai trò")
def grant_role(*, actor, user, role, unit, path):
    """Give `user` a role on `unit`, which stands at `path` today. Returns whether it is new.

    Raises PermissionDenied when it is not `actor`'s to give.
    """
    if not access.may_grant(actor, role=role, path=path):
        raise PermissionDenied(f"bạn không được cấp vai trò “{access.RoleName(role).label}” ở “{unit}”")
    row, is_new = Role.objects.get_or_create(user=user, unit=unit, role=role)
    if is_new:
        changes = [["Vai trò", "", access.RoleName(role).label]]
        label = f"{_label(user)} · {unit}"
        journal.write([journal.Note(grant_role.code, row, actor, unit=unit.pk, label=label, changes=changes)])
    return is_new


@verb("Đổi mật khẩu")
def change_password(*, user, password):
    """Give oneself another password, which the caller has judged. The journal tells that, never what."""
    user.set_password(password)
    user.save(update_fields=["password"])
    home = home_unit(user)
    journal.write([journal.Note(change_password.code, user, user, unit=home and home.pk, label=_label(user))])


@verb("Đổi thư hằng ngày")
def set_mail(*, user, email, wants_mail):
    """Where one's own daily mail goes, and whether it does. Returns whether anything changed.

    The journal tells the address: what waits in the units is sent there.
    """
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    changes = journal.changed(
        [("Địa chỉ thư", row.email, email), ("Thư “Việc hôm nay”", _said(row.wants_mail), _said(wants_mail))]
    )
    if changes:
        row.email, row.wants_mail = email, wants_mail
        row.save(update_fields=["email", "wants_mail"])
        home = home_unit(user)
        note = journal.Note(set_mail.code, row, user, unit=home and home.pk, label=_label(row), changes=changes)
        journal.write([note])
    return bool(changes)


def _said(wants_mail):
    return "nhận" if wants_mail else "không nhận"


def _label(user):
    return f"{user} ({user.username})"


def clean_phone(text):
    """A phone number as digits; the 0 that a number cell loses comes back. Raises ValidationError."""
    text = nfc(text)
    digits = phone_digits(text)
    if text and not digits:
        raise ValidationError({"phone": f"“{text}” không phải số điện thoại; ví dụ 0912 345 678."})
    return f"0{digits}" if len(digits) == 9 and digits[0] != "0" else digits
