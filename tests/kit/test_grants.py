"""What the app role may do is what the models say, and not a bit more."""

from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from huika.kit import events, grants, sequencer
from huika.kit.postgres import Roles, role_name

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
ADD_ONLY = ("kit_event", "kit_eventplace", "evidence_picture")
BY_FUNCTIONS_ONLY = ("ledger_posting", "ledger_leg", "ledger_hold", "ledger_holdmove", "ledger_account")


def privileges(table: str, role: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p FROM unnest(%s::text[]) p WHERE has_table_privilege(%s, %s, p)", [list(PRIVILEGES), role, table]
        )
        whole = {row[0] for row in cursor.fetchall()}
        # What is granted for single columns: in the words of `app_may`.
        cursor.execute(
            "SELECT p, attname FROM unnest(%s::text[]) p, pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND has_column_privilege(%s, attrelid, attnum, p)",
            [["SELECT", "INSERT", "UPDATE", "REFERENCES"], table, role],
        )
        return whole | {f"{p} ({column})" for p, column in cursor.fetchall() if p not in whole}


@pytest.mark.django_db
@pytest.mark.parametrize("table", sorted(grants.wanted()))
def test_a_table_s_privileges_are_those_of_its_model(table: str, roles: Roles) -> None:
    wanted = {p.strip() for p in grants.wanted()[table].split(",")}
    assert privileges(table, role_name(roles.app)) == wanted
    assert {p.partition(" ")[0] for p in wanted} <= {"SELECT", "INSERT", "UPDATE", "DELETE"}


@pytest.mark.django_db
def test_every_table_is_accounted_for_and_nobody_truncates(roles: Roles) -> None:
    app = role_name(roles.app)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = {row[0] for row in cursor.fetchall()}
        assert tables >= set(grants.wanted())
        for table in tables:
            assert "TRUNCATE" not in privileges(table, app), table
        for table in tables - set(grants.wanted()):
            expected = {"SELECT"} | ({"INSERT", "UPDATE", "DELETE"} if table.startswith("procrastinate") else set())
            assert privileges(table, app) == expected, table


@pytest.mark.django_db
def test_what_is_append_only_and_what_only_functions_write(roles: Roles) -> None:
    app = role_name(roles.app)
    for table in ADD_ONLY:
        assert privileges(table, app) == {"SELECT", "INSERT"}
    for table in BY_FUNCTIONS_ONLY:
        assert privileges(table, app) == {"SELECT"}


@pytest.mark.django_db
def test_the_app_role_owns_nothing_and_makes_nothing(roles: Roles) -> None:
    app = role_name(roles.app)

    def ask(query: str) -> object:
        with connection.cursor() as cursor:
            cursor.execute(query, {"app": app})
            return cursor.fetchone()

    assert ask("SELECT current_user") == (app,)
    assert (
        ask("SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = %(app)s")
        == (False,) * 4
    )
    assert ask("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = %(app)s") == (0,)
    assert ask("SELECT count(*) FROM pg_auth_members WHERE pg_get_userbyid(member) = %(app)s") == (0,)
    assert ask(
        "SELECT has_schema_privilege(%(app)s, 'public', 'CREATE'), has_schema_privilege(%(app)s, 'vault', 'USAGE')"
    ) == (False, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE kit_event SET verb = 'x'",
        "DELETE FROM kit_event",
        "DELETE FROM kit_eventplace",
        "TRUNCATE kit_event",
        "TRUNCATE kit_cursor",
        "DELETE FROM kit_workitem",
        "DELETE FROM kit_approval",
        "SELECT setval('kit_event_id_seq', 1)",
        "CREATE TABLE mine (id int)",
        "ALTER TABLE kit_event DISABLE TRIGGER ALL",
        "DROP TABLE kit_cursor",
    ],
)
def test_the_database_refuses_the_app_role(statement: str) -> None:
    with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_events_and_places_are_append_only_for_the_owner_as_well(roles: Roles) -> None:
    with transaction.atomic():
        events.record("test.done", uuid4())
    sequencer.sequence()
    with psycopg.connect(roles.owner) as owner:
        for statement in (
            "UPDATE kit_event SET verb = 'x'",
            "DELETE FROM kit_event",
            "UPDATE kit_eventplace SET place = place + 1000",
            "DELETE FROM kit_eventplace",
        ):
            with pytest.raises(psycopg.DatabaseError, match="append-only") as caught, owner.transaction():
                owner.execute(statement)
            assert caught.value.sqlstate == "HK009"


def test_a_model_of_ours_that_says_nothing_is_never_deleted_from() -> None:
    assert grants.wanted()["kit_workitem"] == grants.DEFAULT == "SELECT, INSERT, UPDATE"


@pytest.mark.django_db
def test_functions_of_ours_are_for_the_app_role_not_for_everybody(roles: Roles) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.oid::regprocedure::text, has_function_privilege('public', p.oid, 'EXECUTE'),"
            " has_function_privilege(%s, p.oid, 'EXECUTE'), has_function_privilege(%s, p.oid, 'EXECUTE')"
            " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = 'public' AND (proname LIKE 'kit\\_%%' OR proname LIKE 'ledger\\_%%')",
            [role_name(roles.app), role_name(roles.vault)],
        )
        rows = cursor.fetchall()
    assert rows
    for name, everybody, app, vault in rows:
        assert (everybody, app, vault) == (False, "__" not in name, False), name
