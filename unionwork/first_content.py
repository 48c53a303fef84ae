"""First content of reference tables: rows a fresh database needs, afterwards edited as data.

Each app connects a loader to `post_migrate`, as django.contrib.auth does for its permissions, so that
rows are there after `migrate` and after a test database was flushed alike.
"""

from django.conf import settings
from django.core.management import call_command


def load_if_empty(model, fixture, *, using, apps):
    """Load fixtures/<fixture> when the table exists and holds no row; what was edited since is never touched."""
    try:
        apps.get_model(model._meta.label)
    except LookupError:  # an older migration state
        return
    if model.objects.using(using).exists():
        return
    call_command("loaddata", settings.BASE_DIR / "fixtures" / fixture, database=using, verbosity=0)
