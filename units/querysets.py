"""Sentences about the journal and the notices. (Units and placements: `units.scope`.)"""

from django.db import models
from django.utils import timezone

from unionwork.text import fold
from units import access


class JournalQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Entries about units whose accounts the user manages; those of no unit for the highest admins only."""
        from units.models import Unit

        if any(grant.level == "central" for grant in access.MANAGE_PEOPLE.grants(user)):
            return self
        return self.filter(unit__in=Unit.objects.reached(user, access.MANAGE_PEOPLE).values("pk"))

    def about(self, *rows):
        """Entries about these objects (model instances of one model)."""
        return self.filter(object_type=rows[0]._meta.label_lower, object_id__in=[row.pk for row in rows])

    def about_key(self, model, key):
        """Entries about an object that may be gone."""
        return self.filter(object_type=model._meta.label_lower, object_id=key)

    def matching(self, text):
        found = self
        for word in fold(text[:200]).split():
            found = found.filter(search__contains=word)
        return found

    def for_list(self):
        """With what a row of a list shows, the latest first."""
        return self.select_related("actor", "unit").order_by("-at", "-pk")


class NoticeQuerySet(models.QuerySet):
    def visible_to(self, user):
        """What this user is told, of units still in scope, and not before its hour."""
        from units.models import Unit

        return self.filter(user=user, show_at__lte=timezone.now(), unit__in=Unit.objects.visible_to(user).values("pk"))

    def unread(self):
        return self.filter(read_at=None)

    def for_list(self):
        """With what a row of a list shows."""
        return self.select_related("unit")
