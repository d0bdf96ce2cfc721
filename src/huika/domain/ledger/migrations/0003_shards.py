"""Shards of busy accounts, reversals, legs numbered within their posting; the functions that go with them."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parents[1] / "sql" / "sharded.sql"
LEGS = """
ALTER TABLE ledger_leg ADD COLUMN n smallint;
ALTER TABLE ledger_leg DISABLE TRIGGER ledger_leg_append_only;
UPDATE ledger_leg l SET n = s.n
FROM (SELECT id, row_number() OVER (PARTITION BY posting_id ORDER BY id) AS n FROM ledger_leg) s WHERE s.id = l.id;
ALTER TABLE ledger_leg ENABLE TRIGGER ledger_leg_append_only;
SET CONSTRAINTS ALL IMMEDIATE;
DO $$ DECLARE r record; BEGIN
    FOR r IN SELECT conname FROM pg_constraint WHERE conrelid = 'ledger_leg'::regclass AND contype = 'f' LOOP
        EXECUTE format('ALTER TABLE ledger_leg DROP CONSTRAINT %I', r.conname);
    END LOOP;
    FOR r IN SELECT indexrelid::regclass::text AS name FROM pg_index
             WHERE indrelid = 'ledger_leg'::regclass AND NOT indisprimary LOOP
        EXECUTE format('DROP INDEX %s', r.name);
    END LOOP;
    -- Nobody searches keys by their beginning: Django's second index on them only costs.
    FOR r IN SELECT indexrelid::regclass::text AS name FROM pg_index JOIN pg_class c ON c.oid = indexrelid
             WHERE indrelid IN ('ledger_posting'::regclass, 'ledger_holdmove'::regclass) AND c.relname LIKE '%key%like' LOOP
        EXECUTE format('DROP INDEX %s', r.name);
    END LOOP;
END $$;
ALTER TABLE ledger_leg DROP COLUMN id;
ALTER TABLE ledger_leg ALTER COLUMN n SET NOT NULL, ADD PRIMARY KEY (posting_id, n);
CREATE INDEX ledger_leg_of_account ON ledger_leg (account_id, posting_id);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_functions")]
    operations = [
        migrations.AddField("account", "shards", models.SmallIntegerField(default=0)),
        migrations.RemoveConstraint("account", "ledger_account_party_floor_zero"),
        migrations.RemoveConstraint("account", "ledger_account_kind"),
        migrations.RemoveConstraint("account", "ledger_account_held"),
        migrations.AddField(
            "posting",
            "reverses",
            models.ForeignKey(
                null=True,
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.posting",
            ),
        ),
        migrations.AddConstraint(
            "posting",
            models.UniqueConstraint(
                condition=models.Q(("reverses__isnull", False)), fields=("reverses",), name="ledger_posting_reversed_once"
            ),
        ),
        migrations.CreateModel(
            "Shard",
            [
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "n", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("n", models.PositiveSmallIntegerField()),
                ("balance_fen", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.account",
                    ),
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(LEGS)],
            state_operations=[
                migrations.DeleteModel("Leg"),
                migrations.CreateModel(
                    "Leg",
                    [
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "posting_id", "n", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("n", models.SmallIntegerField()),
                        ("amount_fen", models.BigIntegerField()),
                        (
                            "account",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="ledger.account",
                            ),
                        ),
                        (
                            "posting",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="ledger.posting",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("amount_fen", 0), _negated=True), name="ledger_leg_not_zero"
                            )
                        ],
                        "indexes": [models.Index(fields=["account", "posting"], name="ledger_leg_of_account")],
                    },
                ),
            ],
        ),
        migrations.RunSQL(SQL.read_text()),
    ]
