"""A prefix of account codes is text: `_` and `%` in it mean themselves."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION ledger_balances_at(p_prefix text, p_at timestamptz)
RETURNS TABLE (code text, kind text, balance_fen bigint) LANGUAGE sql STABLE AS $$
    SELECT a.code, a.kind, coalesce(sum(l.amount_fen) FILTER (WHERE p.id IS NOT NULL), 0)::bigint
    FROM ledger_account a
    LEFT JOIN ledger_leg l ON l.account_id = a.id
    LEFT JOIN ledger_posting p ON p.id = l.posting_id AND p.at <= p_at
    WHERE starts_with(a.code, p_prefix) AND a.opened_at <= p_at
    GROUP BY a.id ORDER BY a.code
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_shards")]
    operations = [migrations.RunSQL(FUNCTION, migrations.RunSQL.noop)]
