"""What follows once a record of the queue is on the screen: who has it open, and which chỉ tiêu it will feed."""

from django.http import HttpResponse
from django.shortcuts import render

from activities.contributions import contributions
from activities.models import RecordNature, Status
from activities.reviewing.deciding_views import decided_by
from activities.reviewing.looking import look
from targets.models import Indicator
from unionwork.policy import policy
from units import access


@policy(access.REVIEW, relation="superior", methods="POST")
def review_look(request, pk):
    """The reader has had this record on the screen for a moment."""
    activity = decided_by(request.user, pk)
    if activity.status == Status.PENDING:
        look(activity=activity, user=request.user)
    return HttpResponse(status=204)


@policy(access.REVIEW, relation="superior")
def review_feeds(request, pk):
    """Tính vào: the piece that htmx asks for when a record is shown, else a page of its own."""
    activity = decided_by(request.user, pk)
    found = []
    if activity.kind.nature == RecordNature.FLOW:  # a declared level replaces another one: it adds nothing
        figures = dict(activity.figures.values_list("indicator", "value"))
        indicators = Indicator.objects.in_bulk() if figures else {}
        figures = {indicators[pk]: value for pk, value in figures.items()}
        found = contributions(activity.unit, activity.year, figures, indicators)
    context = {"activity": activity, "feeds": found, "adds": activity.kind.nature == RecordNature.FLOW}
    piece = "activities/_review_feeds.html" if request.htmx else "activities/review_feeds.html"
    return render(request, piece, context)
