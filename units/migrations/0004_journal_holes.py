from importlib import import_module

from django.db import migrations

REFUSE = import_module("units.migrations.0003_append_only").REFUSE
ADD = {
    "postgresql": [
        "CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON units_journalentry "
        "FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()",
    ],
    # The rows that INSERT OR REPLACE takes away pass SQLite's DELETE trigger.
    "sqlite": [
        "CREATE TRIGGER journal_no_replace BEFORE INSERT ON units_journalentry WHEN EXISTS "
        "(SELECT 1 FROM units_journalentry WHERE id = NEW.id OR (chain = NEW.chain AND number = NEW.number)) "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSE}'); END",
    ],
}
DROP = {
    "postgresql": ["DROP TRIGGER journal_no_truncate ON units_journalentry"],
    "sqlite": ["DROP TRIGGER journal_no_replace"],
}


def add(apps, schema_editor):
    """The ways past the triggers on UPDATE and DELETE: TRUNCATE on PostgreSQL, INSERT OR REPLACE on SQLite."""
    for statement in ADD[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    for statement in DROP[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("units", "0003_append_only")]
    operations = [migrations.RunPython(add, drop)]
