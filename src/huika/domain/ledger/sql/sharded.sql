-- Busy accounts in shards, legs without a number of their own, reversals, many postings at once, balances at a time.
-- SQLSTATE besides those of ledger.sql: HK006 not to be reversed.

ALTER TABLE ledger_account SET (fillfactor = 70);  -- room for the next version of a row beside it: no index is touched
ALTER TABLE ledger_shard SET (fillfactor = 50);

-- What a posting never changes is checked when it changes, not with every balance. AFTER: a BEFORE trigger would lock
-- each row first, whatever columns it names.
CREATE FUNCTION ledger__account_shape() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind NOT IN ('party', 'outside', 'income', 'expense', 'transit') THEN
        RAISE EXCEPTION 'ledger_account_kind: %', NEW.kind
            USING ERRCODE = '23514', CONSTRAINT = 'ledger_account_kind';
    ELSIF NEW.kind = 'party' AND NEW.floor_fen IS DISTINCT FROM 0 THEN
        RAISE EXCEPTION 'ledger_account_party_floor_zero: %', NEW.floor_fen
            USING ERRCODE = '23514', CONSTRAINT = 'ledger_account_party_floor_zero';
    ELSIF NEW.held_fen < 0 THEN
        RAISE EXCEPTION 'ledger_account_held: %', NEW.held_fen
            USING ERRCODE = '23514', CONSTRAINT = 'ledger_account_held';
    ELSIF NEW.shards NOT BETWEEN 0 AND 64 OR (NEW.shards > 0
          AND (NEW.floor_fen IS NOT NULL OR NEW.ceiling_fen IS NOT NULL OR NEW.held_fen <> 0)) THEN
        RAISE EXCEPTION 'ledger_account_sharded_without_limits: %', NEW.code
            USING ERRCODE = '23514', CONSTRAINT = 'ledger_account_sharded_without_limits';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_account_shape AFTER INSERT OR UPDATE OF kind, floor_fen, ceiling_fen, shards, held_fen
    ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger__account_shape();

-- The transaction's number draws the shard: those under way at the same time take different ones, and one that posts
-- several times keeps to its own.
CREATE FUNCTION ledger__move(p_account bigint, p_shards int, p_posting bigint, p_amount bigint, p_unhold bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF p_shards = 0 THEN
        IF p_unhold = 0 THEN
            UPDATE ledger_account SET balance_fen = balance_fen + p_amount WHERE id = p_account;
        ELSE
            UPDATE ledger_account SET balance_fen = balance_fen + p_amount, held_fen = held_fen - p_unhold
            WHERE id = p_account;
        END IF;
    ELSE
        UPDATE ledger_shard SET balance_fen = balance_fen + p_amount
        WHERE account_id = p_account AND n = txid_current() % p_shards;
    END IF;
END $$;

-- Statements of one row each: an aggregate or a join costs more to set up than all of these (docs/decisions/0014).
-- Locks are taken on accounts by id, then on shards by account; scans other than of the key's index would take them in
-- another order.
CREATE OR REPLACE FUNCTION ledger__apply(p_posting bigint, p_accounts text[], p_amounts bigint[], p_held bigint,
                                         p_unhold bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off
SET enable_bitmapscan = off AS $$
DECLARE
    v_legs int := cardinality(p_accounts); v_sum numeric := 0; v_last bigint := 0;
    v_a bigint; v_b bigint; v_shards_a int; v_shards_b int; v_ids bigint[]; v_amount bigint;
BEGIN
    IF v_legs = 2 AND p_held IS NULL AND p_accounts[1] <> p_accounts[2] THEN
        IF p_amounts[1] <> -p_amounts[2] THEN RAISE EXCEPTION 'legs do not balance' USING ERRCODE = 'HK002'; END IF;
        SELECT id, shards INTO v_a, v_shards_a FROM ledger_account WHERE code = p_accounts[1];
        SELECT id, shards INTO v_b, v_shards_b FROM ledger_account WHERE code = p_accounts[2];
        IF v_a IS NULL OR v_b IS NULL THEN
            RAISE EXCEPTION 'unknown account in %', p_accounts USING ERRCODE = 'HK003';
        END IF;
        IF v_shards_a + v_shards_b = 0 THEN
            UPDATE ledger_account
            SET balance_fen = balance_fen + CASE id WHEN v_a THEN p_amounts[1] ELSE p_amounts[2] END
            WHERE id IN (v_a, v_b);
        ELSIF (v_shards_a > 0, v_a) < (v_shards_b > 0, v_b) THEN
            PERFORM ledger__move(v_a, v_shards_a, p_posting, p_amounts[1], 0);
            PERFORM ledger__move(v_b, v_shards_b, p_posting, p_amounts[2], 0);
        ELSE
            PERFORM ledger__move(v_b, v_shards_b, p_posting, p_amounts[2], 0);
            PERFORM ledger__move(v_a, v_shards_a, p_posting, p_amounts[1], 0);
        END IF;
        INSERT INTO ledger_leg (posting_id, n, account_id, amount_fen)
        VALUES (p_posting, 1, v_a, p_amounts[1]), (p_posting, 2, v_b, p_amounts[2]);
        RETURN;
    END IF;
    IF coalesce(v_legs, 0) < 2 OR v_legs <> cardinality(p_amounts) THEN
        RAISE EXCEPTION 'legs do not balance' USING ERRCODE = 'HK002';
    END IF;
    FOR i IN 1..v_legs LOOP
        SELECT id INTO v_a FROM ledger_account WHERE code = p_accounts[i];
        IF v_a IS NULL THEN RAISE EXCEPTION 'unknown account in %', p_accounts USING ERRCODE = 'HK003'; END IF;
        v_ids[i] := v_a;
        v_sum := v_sum + p_amounts[i];
    END LOOP;
    IF v_sum <> 0 THEN RAISE EXCEPTION 'legs do not balance' USING ERRCODE = 'HK002'; END IF;
    FOR v_a, v_shards_a, v_amount IN
        SELECT a.id, a.shards, sum(u.amount)::bigint FROM unnest(v_ids, p_amounts) AS u(id, amount)
        JOIN ledger_account a ON a.id = u.id GROUP BY a.id ORDER BY a.shards > 0, a.id
    LOOP
        PERFORM ledger__move(v_a, v_shards_a, p_posting, v_amount, CASE WHEN v_a = p_held THEN p_unhold ELSE 0 END);
    END LOOP;
    INSERT INTO ledger_leg (posting_id, n, account_id, amount_fen)
    SELECT p_posting, i, v_ids[i], p_amounts[i] FROM generate_subscripts(v_ids, 1) AS i;
END $$;

DROP FUNCTION ledger_open(text, text, uuid, bigint, bigint, timestamptz);
-- The account's id; p_shards > 0 for a busy account without limits of its own.
CREATE FUNCTION ledger_open(p_code text, p_kind text, p_party uuid, p_floor bigint, p_ceiling bigint, p_shards int,
                            p_at timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v_id bigint;
BEGIN
    SELECT id INTO v_id FROM ledger_account
    WHERE code = p_code AND kind = p_kind AND party IS NOT DISTINCT FROM p_party;
    IF v_id IS NOT NULL THEN RETURN v_id; END IF;
    INSERT INTO ledger_account (code, kind, party, floor_fen, ceiling_fen, shards, opened_at, balance_fen, held_fen)
    VALUES (p_code, p_kind, p_party, p_floor, p_ceiling, p_shards, p_at, 0, 0)
    ON CONFLICT (code) DO NOTHING RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        SELECT id INTO v_id FROM ledger_account
        WHERE code = p_code AND kind = p_kind AND party IS NOT DISTINCT FROM p_party;
        IF v_id IS NULL THEN RAISE EXCEPTION 'account % exists otherwise', p_code USING ERRCODE = 'HK001'; END IF;
        RETURN v_id;
    END IF;
    INSERT INTO ledger_shard (account_id, n, balance_fen) SELECT v_id, i, 0 FROM generate_series(0, p_shards - 1) AS i;
    RETURN v_id;
END $$;

-- New limits for an account; its CHECKs refuse those that its balance already breaks.
CREATE FUNCTION ledger_limit(p_code text, p_floor bigint, p_ceiling bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE ledger_account SET floor_fen = p_floor, ceiling_fen = p_ceiling WHERE code = p_code AND kind <> 'party';
    IF NOT FOUND THEN RAISE EXCEPTION 'unknown account %', p_code USING ERRCODE = 'HK003'; END IF;
END $$;

-- The posting that undoes p_posting: the same legs with the other sign. A posting is undone once; what undoes is not.
CREATE FUNCTION ledger_reverse(p_key text, p_hash bytea, p_posting bigint, p_at timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v_id bigint; v_hash bytea; v_old ledger_posting; v_accounts text[]; v_amounts bigint[];
BEGIN
    SELECT * INTO v_old FROM ledger_posting WHERE id = p_posting;
    IF v_old.id IS NULL THEN RAISE EXCEPTION 'unknown posting %', p_posting USING ERRCODE = 'HK005'; END IF;
    IF v_old.reverses_id IS NOT NULL THEN
        RAISE EXCEPTION 'posting % is itself a reversal', p_posting USING ERRCODE = 'HK006';
    END IF;
    INSERT INTO ledger_posting (key, request_hash, kind, subject, at, reverses_id)
    VALUES (p_key, p_hash, v_old.kind || '.reversed', v_old.subject, p_at, p_posting)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        SELECT id, request_hash INTO v_id, v_hash FROM ledger_posting WHERE key = p_key;
        IF v_hash <> p_hash THEN RAISE EXCEPTION 'key % reused', p_key USING ERRCODE = 'HK001'; END IF;
        RETURN v_id;
    END IF;
    SELECT array_agg(a.code ORDER BY l.n), array_agg(-l.amount_fen ORDER BY l.n) INTO v_accounts, v_amounts
    FROM ledger_leg l JOIN ledger_account a ON a.id = l.account_id WHERE l.posting_id = p_posting;
    PERFORM ledger__apply(v_id, v_accounts, v_amounts, NULL, 0);
    RETURN v_id;
END $$;

-- Many postings in one statement, all or none; p_of names the posting (from 1) of each leg. Their numbers, in order.
-- Limits are checked on what the batch changes as a whole. Keys are inserted in their own order, so that two batches
-- with common keys wait for each other in one direction.
CREATE FUNCTION ledger_post_many(p_keys text[], p_hashes bytea[], p_kinds text[], p_subjects uuid[], p_of int[],
                                 p_accounts text[], p_amounts bigint[], p_at timestamptz)
RETURNS bigint[] LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v_new bigint[]; v_new_of int[]; v_ids bigint[]; v_leg_ids bigint[]; v_wrong int;
BEGIN
    IF cardinality(p_accounts) <> cardinality(p_amounts) OR cardinality(p_accounts) <> cardinality(p_of) THEN
        RAISE EXCEPTION 'legs do not balance' USING ERRCODE = 'HK002';
    ELSIF EXISTS (SELECT 1 FROM unnest(p_of) AS o(n) WHERE n IS NULL OR n NOT BETWEEN 1 AND cardinality(p_keys)) THEN
        RAISE EXCEPTION 'a leg names no posting of the batch' USING ERRCODE = 'HK002';
    ELSIF cardinality(p_keys) > (SELECT count(DISTINCT k) FROM unnest(p_keys) AS u(k)) THEN
        RAISE EXCEPTION 'a key of the batch is reused' USING ERRCODE = 'HK001';
    END IF;
    WITH asked AS (
        SELECT * FROM unnest(p_keys, p_hashes, p_kinds, p_subjects) WITH ORDINALITY AS u(key, hash, kind, subject, n)
    ), made AS (
        INSERT INTO ledger_posting (key, request_hash, kind, subject, at)
        SELECT key, hash, kind, subject, p_at FROM asked ORDER BY key
        ON CONFLICT (key) DO NOTHING RETURNING id, key
    )
    SELECT array_agg(m.id), array_agg(a.n) INTO v_new, v_new_of FROM made m JOIN asked a ON a.key = m.key;
    SELECT array_agg(p.id ORDER BY u.n), count(*) FILTER (WHERE p.request_hash IS DISTINCT FROM u.hash)
    INTO v_ids, v_wrong
    FROM unnest(p_keys, p_hashes) WITH ORDINALITY AS u(key, hash, n) LEFT JOIN ledger_posting p ON p.key = u.key;
    IF v_wrong > 0 THEN
        RAISE EXCEPTION 'a key of the batch is reused' USING ERRCODE = 'HK001';
    END IF;
    IF v_new IS NULL THEN RETURN v_ids; END IF;

    SELECT count(*) INTO v_wrong FROM unnest(v_new_of) AS w(n) LEFT JOIN (
        SELECT u.of, sum(u.amount::numeric) AS total, count(*) AS legs
        FROM unnest(p_of, p_amounts) AS u(of, amount) GROUP BY u.of
    ) s ON s.of = w.n WHERE s.total IS DISTINCT FROM 0 OR s.legs < 2;
    IF v_wrong > 0 THEN RAISE EXCEPTION 'legs do not balance' USING ERRCODE = 'HK002'; END IF;
    SELECT array_agg(a.id ORDER BY u.n) INTO v_leg_ids
    FROM unnest(p_accounts) WITH ORDINALITY AS u(code, n) LEFT JOIN ledger_account a ON a.code = u.code;
    IF array_position(v_leg_ids, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'unknown account in the batch' USING ERRCODE = 'HK003';
    END IF;

    PERFORM 1 FROM ledger_account WHERE id = ANY (v_leg_ids) AND shards = 0 ORDER BY id FOR NO KEY UPDATE;
    UPDATE ledger_account a SET balance_fen = a.balance_fen + s.amount
    FROM (SELECT u.id, sum(u.amount)::bigint AS amount
          FROM unnest(p_of, v_leg_ids, p_amounts) AS u(of, id, amount) JOIN unnest(v_new_of) AS w(n) ON w.n = u.of
          GROUP BY u.id) s
    WHERE a.id = s.id AND a.shards = 0;
    PERFORM 1 FROM ledger_shard t JOIN ledger_account a ON a.id = t.account_id
    WHERE a.id = ANY (v_leg_ids) AND t.n = txid_current() % nullif(a.shards, 0) ORDER BY t.account_id FOR NO KEY UPDATE OF t;
    UPDATE ledger_shard t SET balance_fen = t.balance_fen + s.amount
    FROM (SELECT u.id, max(a.shards) AS shards, sum(u.amount)::bigint AS amount
          FROM unnest(p_of, v_leg_ids, p_amounts) AS u(of, id, amount) JOIN unnest(v_new_of) AS w(n) ON w.n = u.of
          JOIN ledger_account a ON a.id = u.id AND a.shards > 0 GROUP BY u.id) s
    WHERE t.account_id = s.id AND t.n = txid_current() % s.shards;
    INSERT INTO ledger_leg (posting_id, n, account_id, amount_fen)
    SELECT v_ids[u.of], row_number() OVER (PARTITION BY u.of ORDER BY u.n), v_leg_ids[u.n], u.amount
    FROM unnest(p_of, p_amounts) WITH ORDINALITY AS u(of, amount, n) JOIN unnest(v_new_of) AS w(n) ON w.n = u.of;
    RETURN v_ids;
END $$;

-- Every account with all its money, shards included.
CREATE VIEW ledger_balances AS
SELECT a.id, a.code, a.kind, a.party, a.balance_fen + coalesce(
           (SELECT sum(s.balance_fen) FROM ledger_shard s WHERE s.account_id = a.id), 0)::bigint AS balance_fen,
       a.held_fen
FROM ledger_account a;

-- The balance of each account whose code begins with p_prefix, from the legs posted up to and including p_at; fen.
CREATE FUNCTION ledger_balances_at(p_prefix text, p_at timestamptz)
RETURNS TABLE (code text, kind text, balance_fen bigint) LANGUAGE sql STABLE AS $$
    SELECT a.code, a.kind, coalesce(sum(l.amount_fen) FILTER (WHERE p.id IS NOT NULL), 0)::bigint
    FROM ledger_account a
    LEFT JOIN ledger_leg l ON l.account_id = a.id
    LEFT JOIN ledger_posting p ON p.id = l.posting_id AND p.at <= p_at
    WHERE a.code LIKE p_prefix || '%' AND a.opened_at <= p_at
    GROUP BY a.id ORDER BY a.code
$$;

-- Nobody takes an account or a shard away: legs name them without a foreign key.
CREATE TRIGGER ledger_account_stays BEFORE DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION kit_refuse_change();
CREATE TRIGGER ledger_shard_stays BEFORE DELETE ON ledger_shard
    FOR EACH ROW EXECUTE FUNCTION kit_refuse_change();
