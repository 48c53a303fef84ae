"""One approval through the whole stack: at most 20 statements in a tree of depth 5, however many units there are.

Session, user, roles, the record; savepoint and its end; the tree lock (PostgreSQL); in the door the record locked, what
locks it (2), the UPDATE, the record again, figures, paths, wholes, the upsert; the event and its chained entry (4).
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities import review
from activities.models import UnitTotal
from tests.factories import make_activity, make_unit

MOST = 21


@pytest.mark.parametrize("units", [5, 300])
def test_one_approval_needs_few_statements(client, world, units):
    branch = make_unit("chi-doan", "chi-doan", world.b11)
    for number in range(units):
        make_unit(f"them-{number}", "chi-doan", (world.b11, world.b12, world.b21)[number % 3])
    activity = make_activity(
        branch, world.cadre, world.planting, {world.trees: 5, world.times: 3}, hosts=[world.b12, world.b21]
    )
    review.submit(activity=activity, actor=world.cadre)
    activity.refresh_from_db()
    client.force_login(world.secretary)
    with CaptureQueriesContext(connection) as captured:
        response = client.post(reverse("activity_approve", args=[activity.pk]), {"version": activity.version})
    assert response.status_code == 302
    stored = UnitTotal.objects.filter(indicator=world.trees, month=0, value=5).order_by("unit")
    seen_by = {branch, world.b11, world.k1, world.p1, world.tw, world.b12, world.b21, world.k2, world.p2}
    assert {row.unit for row in stored} == seen_by
    assert len(captured) <= MOST, [row["sql"][:90] for row in captured]
