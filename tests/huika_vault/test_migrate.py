"""The schema, who may do what in it, and what the tables themselves refuse."""

import psycopg
import pytest

from huika_vault.migrate import FOLDER, MigrationProblem, migrate, migrations


def refused(url, statement, error=psycopg.errors.InsufficientPrivilege):
    with psycopg.connect(url) as connection, pytest.raises(error):
        connection.execute(statement)


def test_migrating_twice_changes_nothing(database):
    assert [m.name for m in migrations()] == ["0001_vault.sql"]
    assert migrate(database.owner, database.vault_role) == []


def test_the_vault_role_cannot_delete_or_alter(database):
    for table in ("card", "call", "use", "release"):
        refused(database.vault, f"DELETE FROM vault.{table}")
        refused(database.vault, f"TRUNCATE vault.{table} CASCADE")
        refused(database.vault, f"DROP TABLE vault.{table}")
    refused(database.vault, "CREATE TABLE vault.mine (x int)")
    refused(database.vault, "SELECT * FROM vault.migration")


def test_the_vault_role_updates_named_columns_only(database):
    with psycopg.connect(database.vault) as connection:
        assert connection.execute("UPDATE vault.card SET state = state WHERE false").rowcount == 0
    for statement in (
        "UPDATE vault.card SET card_id = card_id",
        "UPDATE vault.card SET order_id = order_id",
        "UPDATE vault.card SET created_at = created_at",
        "UPDATE vault.call SET answer = answer",
        "UPDATE vault.use SET verb = verb",
        "UPDATE vault.use SET card_id = card_id",
        "UPDATE vault.release SET recipient = recipient",
    ):
        refused(database.vault, statement)


def test_the_vault_role_sees_nothing_of_the_platform(database):
    with psycopg.connect(database.owner) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS public.trade_order (id int)")
        connection.execute("INSERT INTO public.trade_order VALUES (1)")
    for verb in ("SELECT * FROM", "DELETE FROM"):
        refused(database.vault, f"{verb} public.trade_order")
    refused(database.vault, "CREATE TABLE public.mine (x int)")


def test_a_role_without_grants_sees_nothing_of_the_vault(database):
    for table in ("card", "call", "use", "release", "migration"):
        refused(database.stranger, f"SELECT * FROM vault.{table}")


def test_grants_given_by_mistake_are_taken_back(make_database):
    made = make_database()
    with psycopg.connect(made.owner) as connection:
        connection.execute(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {made.stranger_role}")
        connection.execute(f"ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO {made.stranger_role}, PUBLIC")
    assert migrate(made.owner, made.vault_role) == ["0001_vault.sql"]
    refused(made.stranger, "SELECT * FROM vault.card")
    with psycopg.connect(made.owner) as connection:
        connection.execute(f"GRANT USAGE ON SCHEMA vault TO {made.stranger_role}")
        connection.execute(f"GRANT SELECT (wrapped_pin) ON vault.card TO {made.stranger_role}")
        connection.execute(f"GRANT DELETE ON vault.card TO {made.vault_role}")
    with psycopg.connect(made.stranger) as connection:
        assert connection.execute("SELECT wrapped_pin FROM vault.card").fetchall() == []
    assert migrate(made.owner, made.vault_role) == []
    refused(made.stranger, "SELECT wrapped_pin FROM vault.card")
    refused(made.vault, "DELETE FROM vault.card")


def test_a_changed_file_or_a_missing_role_stops_everything(make_database, tmp_path):
    made = make_database()
    with pytest.raises(MigrationProblem, match="no role"):
        migrate(made.owner, "nobody_of_that_name")
    file = tmp_path / "0001_vault.sql"
    file.write_bytes((FOLDER / "0001_vault.sql").read_bytes())
    assert migrate(made.owner, made.vault_role, tmp_path) == ["0001_vault.sql"]
    (tmp_path / "0002_more.sql").write_text("CREATE TABLE vault.more (x int); SELECT broken;")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        migrate(made.owner, made.vault_role, tmp_path)
    refused(made.owner, "SELECT * FROM vault.more", psycopg.errors.UndefinedTable)
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(MigrationProblem, match="changed"):
        migrate(made.owner, made.vault_role, tmp_path)


def test_tables_refuse_what_no_code_should_do(world):
    card = world.sealed_card()
    for statement in (
        "UPDATE vault.card SET state = 'used' WHERE card_id = %s",
        "UPDATE vault.card SET wrapped_pin = NULL WHERE card_id = %s",
        "UPDATE vault.card SET seals = 6 WHERE card_id = %s",
        "UPDATE vault.card SET standing = 'gone' WHERE card_id = %s",
        "UPDATE vault.card SET blind = 'short' WHERE card_id = %s",
        "UPDATE vault.card SET picture = 'zz' WHERE card_id = %s",
    ):
        with psycopg.connect(world.database.vault) as connection, pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(statement, [card.card])


def test_the_database_itself_allows_one_open_operation(world):
    card = world.sealed_card()
    world.issuer.mode = ["lost"]
    claims = world.use_claims(card)
    assert world.post("/use", claims).status_code == 202
    second = world.claims(card, "seal")["jti"]
    with psycopg.connect(world.database.vault) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(
            "INSERT INTO vault.call SELECT %s, card_id, order_id, verb, event, digest, answer, at"
            " FROM vault.call WHERE jti = %s",
            [second, claims["jti"]],
        )
        connection.execute(
            "INSERT INTO vault.use SELECT %s, card_id, verb, %s, state, next_pin, answer, asked_until, at, done_at"
            " FROM vault.use WHERE jti = %s",
            [second, second, claims["jti"]],
        )
