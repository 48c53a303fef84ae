"""What was done: records with their figures, what happened to them, period reports, and the stored totals."""

from activities.models.evidence import Evidence, FormDraft, evidence_path
from activities.models.kinds import COMMENTED, ActivityKind, ActivityKindManager, KindFigure, RecordNature, WorkLevel
from activities.models.lists import Look, SavedFilter
from activities.models.periods import GIVEN, PeriodReport, Reminder, ReportState, Unlock
from activities.models.records import COUNTED, EDITABLE, SENT, Activity, Doubt, Figure, Host, HostState, Status
from activities.models.steps import Correction, CorrectionState, Event, Step
from activities.models.totals import UnitTotal

__all__ = [
    "COMMENTED",
    "COUNTED",
    "EDITABLE",
    "GIVEN",
    "SENT",
    "Activity",
    "ActivityKind",
    "ActivityKindManager",
    "Correction",
    "CorrectionState",
    "Doubt",
    "Event",
    "Evidence",
    "Figure",
    "FormDraft",
    "Host",
    "HostState",
    "KindFigure",
    "Look",
    "PeriodReport",
    "RecordNature",
    "Reminder",
    "ReportState",
    "SavedFilter",
    "Status",
    "Step",
    "UnitTotal",
    "Unlock",
    "WorkLevel",
    "evidence_path",
]
