"""What the app role may do, table by table, from `app_may` on the models. Applied after every migration.

Postings, legs and holds of the ledger are written by the owner's SQL functions alone; events and places are only
added to. Tables of other packages (procrastinate) are open to the app.
"""

from django.apps import apps
from django.db import connection, transaction
from psycopg import sql

DEFAULT = "SELECT, INSERT, UPDATE"
ALL = "SELECT, INSERT, UPDATE, DELETE"


def wanted() -> dict[str, str]:
    """Table → privileges of the app role."""
    tables = {}
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed:
            continue
        ours = model.__module__.startswith("huika.")
        tables[model._meta.db_table] = getattr(model, "app_may", DEFAULT if ours else ALL)
    return tables


def apply(role: str) -> None:
    """Give the app role exactly what `wanted` says, as the owner, in one transaction: nobody at work sees a gap."""
    name = sql.Identifier(role)
    with transaction.atomic(), connection.cursor() as cursor:
        raw = cursor.connection

        def run(text: str, **parts: sql.Composable) -> None:
            cursor.execute(sql.SQL(text).format(role=name, **parts).as_string(raw))

        run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        run("GRANT USAGE ON SCHEMA public TO {role}")
        run("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
        run("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
        for table in connection.introspection.table_names(cursor, include_views=True):
            may = wanted().get(table, ALL if table.startswith("procrastinate") else "SELECT")
            run("GRANT " + may + " ON {table} TO {role}", table=sql.Identifier(table))
        run("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")
        run("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role}")
        # Functions with two underscores in their name are parts of others.
        cursor.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND proname LIKE '%\\_\\_%'"
        )
        for (part,) in cursor.fetchall():
            run(f"REVOKE EXECUTE ON FUNCTION {part} FROM {{role}}")
