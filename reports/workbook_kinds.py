"""Which workbooks people may fill in and import (CONTRACT.md)."""

from activities.moves.moving import move_unit
from activities.resources import RESOURCES as ACTIVITIES
from targets.resources import RESOURCES as TARGETS
from units.resources import RESOURCES as UNITS

RESOURCES = UNITS | TARGETS | ACTIVITIES


def resource_for(what, *, user, approver=None):
    """The import of one kind of workbook for `user`. Raises KeyError for an unknown kind."""
    extra = {"move": move_unit} if what == "units" else {"approver": approver} if what in ACTIVITIES else {}
    return RESOURCES[what](user=user, **extra)


def takes_approver(what):
    """Whether records of this kind may arrive approved by a second person."""
    return what in ACTIVITIES
