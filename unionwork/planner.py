"""What PostgreSQL's planner has to be told; SQLite needs none of it."""

from django.db import connection

MANY = 1000  # rows


def wrote(count, *models):
    """After `count` new rows: many of them make PostgreSQL look at the tables again, inside the same transaction.

    Until autovacuum comes by it plans as if a table that was empty a minute ago still were: minutes instead of
    milliseconds for the statements that follow in the same import.
    """
    if count > MANY and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE " + ", ".join(connection.ops.quote_name(model._meta.db_table) for model in models))
