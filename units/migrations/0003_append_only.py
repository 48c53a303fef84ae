from django.db import migrations

REFUSE = "the journal is append-only"
ADD = {
    "postgresql": [
        "CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSE}'; END $$",
        "CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON units_journalentry "
        "FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()",
    ],
    "sqlite": [
        f"CREATE TRIGGER journal_no_{verb.lower()} BEFORE {verb} ON units_journalentry "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSE}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
}
DROP = {
    "postgresql": [
        "DROP TRIGGER journal_append_only ON units_journalentry",
        "DROP FUNCTION journal_is_append_only()",
    ],
    "sqlite": ["DROP TRIGGER journal_no_update", "DROP TRIGGER journal_no_delete"],
}


def add(apps, schema_editor):
    """Entries of the journal are never changed or removed, whoever asks the database."""
    for statement in ADD[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    for statement in DROP[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("units", "0002_journal")]
    operations = [migrations.RunPython(add, drop)]
