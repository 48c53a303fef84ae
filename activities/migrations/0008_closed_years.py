"""What counts in a closed year stays, whoever asks the database, unless an unlock of that year holds (TRUST A8).

The verbs say so first and in words (`activities.locks`); this stops what goes round them. Rows may be added: a dump is
read into an empty database with its years closed, and nothing counts without a change of the totals above it.
"""

from django.db import migrations

REFUSE = "the year is closed"
COUNTED = "('approved', 'published')"
NOW = {"postgresql": "clock_timestamp()", "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now')"}
CLOSED = (
    "(EXISTS (SELECT 1 FROM targets_workyear WHERE year = {year} AND NOT is_open) AND NOT EXISTS "
    "(SELECT 1 FROM activities_unlock WHERE year_id = {year} AND closed_at IS NULL AND until > {now}))"
)
OF_FIGURE = f"(SELECT year_id FROM activities_activity WHERE id = OLD.activity_id AND status IN {COUNTED})"
COUNTS_OTHERWISE = (
    f"((OLD.status IN {COUNTED}) <> (NEW.status IN {COUNTED}) OR (OLD.status IN {COUNTED} AND (OLD.unit_id, "
    "OLD.year_id, OLD.month) <> (NEW.unit_id, NEW.year_id, NEW.month)))"
)
# (table, what is done to its rows, a further condition, the years that must not be closed)
GUARDED = [
    ("activities_unittotal", "UPDATE", "", ["OLD.year_id"]),
    ("activities_unittotal", "DELETE", "", ["OLD.year_id"]),
    ("activities_figure", "UPDATE", "", [OF_FIGURE]),
    ("activities_figure", "DELETE", "", [OF_FIGURE]),
    ("activities_activity", "UPDATE", COUNTS_OTHERWISE, ["OLD.year_id", "NEW.year_id"]),
    ("activities_activity", "DELETE", f"OLD.status IN {COUNTED}", ["OLD.year_id"]),
]


def statements(vendor):
    """([to add], [to take away]) in the words of the database."""
    add, drop = [], []
    for table, done, condition, years in GUARDED:
        name = f"{table}_closed_{done.lower()}"
        closed = " OR ".join(CLOSED.format(year=year, now=NOW[vendor]) for year in years)
        wrong = f"{condition} AND ({closed})" if condition else closed
        if vendor == "sqlite":
            add.append(
                f"CREATE TRIGGER {name} BEFORE {done} ON {table} WHEN {wrong} BEGIN SELECT RAISE(ABORT, '{REFUSE}'); END"
            )
            drop.append(f"DROP TRIGGER {name}")
            continue
        row = "OLD" if done == "DELETE" else "NEW"
        add += [
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {wrong} THEN RAISE EXCEPTION '{REFUSE}'; END IF; RETURN {row}; END $$",
            f"CREATE TRIGGER {name} BEFORE {done} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
        drop += [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"]
    return add, drop


def add(apps, schema_editor):
    for statement in statements(schema_editor.connection.vendor)[0]:
        schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    for statement in statements(schema_editor.connection.vendor)[1]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("activities", "0007_looks"), ("targets", "0006_periods")]
    operations = [migrations.RunPython(add, drop)]
