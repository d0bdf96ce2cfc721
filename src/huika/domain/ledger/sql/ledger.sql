-- The ledger's only writers. They run as the owner; the app role may call them and read the tables, nothing else.
-- Time is passed in. Locks: the key's row, then the hold, then accounts by id.
-- SQLSTATE: HK001 key reused, HK002 unbalanced, HK003 unknown account, HK004 hold expired, HK005 unknown hold.

CREATE FUNCTION ledger_open(p_code text, p_kind text, p_party uuid, p_floor bigint, p_ceiling bigint, p_at timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v_id bigint;
BEGIN
    INSERT INTO ledger_account (code, kind, party, floor_fen, ceiling_fen, opened_at, balance_fen, held_fen)
    VALUES (p_code, p_kind, p_party, p_floor, p_ceiling, p_at, 0, 0)
    ON CONFLICT (code) DO NOTHING RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        SELECT id INTO v_id FROM ledger_account
        WHERE code = p_code AND kind = p_kind AND party IS NOT DISTINCT FROM p_party;
        IF v_id IS NULL THEN RAISE EXCEPTION 'account % exists otherwise', p_code USING ERRCODE = 'HK001'; END IF;
    END IF;
    RETURN v_id;
END $$;

-- Apply legs of a posting (two underscores: the app role may not call it); of the account p_held's money, p_unhold fen leave the hold in the same statement.
CREATE FUNCTION ledger__apply(p_posting bigint, p_accounts text[], p_amounts bigint[], p_held bigint, p_unhold bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v_wanted int; v_found int;
BEGIN
    IF coalesce(array_length(p_accounts, 1), 0) < 2 OR array_length(p_accounts, 1) <> array_length(p_amounts, 1)
       OR (SELECT sum(x::numeric) FROM unnest(p_amounts) x) <> 0 THEN
        RAISE EXCEPTION 'legs do not balance' USING ERRCODE = 'HK002';
    END IF;
    PERFORM 1 FROM ledger_account WHERE code = ANY (p_accounts) ORDER BY id FOR NO KEY UPDATE;
    UPDATE ledger_account a
    SET balance_fen = a.balance_fen + l.amount,
        held_fen = a.held_fen - CASE WHEN a.id = p_held THEN p_unhold ELSE 0 END
    FROM (SELECT code, sum(amount)::bigint AS amount FROM unnest(p_accounts, p_amounts) AS u(code, amount)
          GROUP BY code) l
    WHERE a.code = l.code;
    GET DIAGNOSTICS v_found = ROW_COUNT;
    SELECT count(DISTINCT c) INTO v_wanted FROM unnest(p_accounts) c;
    IF v_found <> v_wanted THEN RAISE EXCEPTION 'unknown account in %', p_accounts USING ERRCODE = 'HK003'; END IF;
    INSERT INTO ledger_leg (posting_id, account_id, amount_fen)
    SELECT p_posting, a.id, u.amount
    FROM unnest(p_accounts, p_amounts) WITH ORDINALITY AS u(code, amount, n) JOIN ledger_account a ON a.code = u.code
    ORDER BY u.n;
END $$;

-- The posting's id; the same key with the same hash answers the first posting, with another hash HK001.
CREATE FUNCTION ledger_post(p_key text, p_hash bytea, p_kind text, p_subject uuid, p_accounts text[],
                            p_amounts bigint[], p_at timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v_id bigint; v_hash bytea;
BEGIN
    INSERT INTO ledger_posting (key, request_hash, kind, subject, at) VALUES (p_key, p_hash, p_kind, p_subject, p_at)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        SELECT id, request_hash INTO v_id, v_hash FROM ledger_posting WHERE key = p_key;
        IF v_hash <> p_hash THEN RAISE EXCEPTION 'key % reused', p_key USING ERRCODE = 'HK001'; END IF;
        RETURN v_id;
    END IF;
    PERFORM ledger__apply(v_id, p_accounts, p_amounts, NULL, 0);
    RETURN v_id;
END $$;

CREATE FUNCTION ledger_hold(p_key text, p_hash bytea, p_id uuid, p_account text, p_amount bigint, p_subject uuid,
                            p_expires timestamptz, p_at timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v_id uuid; v_hash bytea; v_account bigint;
BEGIN
    SELECT id INTO v_account FROM ledger_account WHERE code = p_account;
    IF v_account IS NULL THEN RAISE EXCEPTION 'unknown account %', p_account USING ERRCODE = 'HK003'; END IF;
    INSERT INTO ledger_hold (id, key, request_hash, account_id, subject, amount_fen, captured_fen, released_fen,
                             expires_at, at)
    VALUES (p_id, p_key, p_hash, v_account, p_subject, p_amount, 0, 0, p_expires, p_at)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        SELECT id, request_hash INTO v_id, v_hash FROM ledger_hold WHERE key = p_key;
        IF v_hash <> p_hash THEN RAISE EXCEPTION 'key % reused', p_key USING ERRCODE = 'HK001'; END IF;
        RETURN v_id;
    END IF;
    UPDATE ledger_account SET held_fen = held_fen + p_amount WHERE id = v_account;
    RETURN v_id;
END $$;

-- Spend part of a hold. The legs on the hold's own account say how much; the rest of the posting is free.
CREATE FUNCTION ledger_capture(p_key text, p_hash bytea, p_hold uuid, p_kind text, p_subject uuid, p_accounts text[],
                               p_amounts bigint[], p_at timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v_posting bigint; v_hash bytea; v_account bigint; v_code text; v_expires timestamptz; v_amount bigint;
BEGIN
    INSERT INTO ledger_posting (key, request_hash, kind, subject, at) VALUES (p_key, p_hash, p_kind, p_subject, p_at)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO v_posting;
    IF v_posting IS NULL THEN
        SELECT id, request_hash INTO v_posting, v_hash FROM ledger_posting WHERE key = p_key;
        IF v_hash <> p_hash THEN RAISE EXCEPTION 'key % reused', p_key USING ERRCODE = 'HK001'; END IF;
        RETURN v_posting;
    END IF;
    SELECT h.account_id, a.code, h.expires_at INTO v_account, v_code, v_expires
    FROM ledger_hold h JOIN ledger_account a ON a.id = h.account_id WHERE h.id = p_hold FOR UPDATE OF h;
    IF v_account IS NULL THEN RAISE EXCEPTION 'unknown hold %', p_hold USING ERRCODE = 'HK005'; END IF;
    IF v_expires <= p_at THEN RAISE EXCEPTION 'hold % expired', p_hold USING ERRCODE = 'HK004'; END IF;
    SELECT -coalesce(sum(amount), 0) INTO v_amount FROM unnest(p_accounts, p_amounts) AS u(code, amount)
    WHERE code = v_code;
    UPDATE ledger_hold SET captured_fen = captured_fen + v_amount WHERE id = p_hold;
    INSERT INTO ledger_holdmove (key, request_hash, hold_id, kind, amount_fen, posting_id, at)
    VALUES (p_key, p_hash, p_hold, 'captured', v_amount, v_posting, p_at);
    PERFORM ledger__apply(v_posting, p_accounts, p_amounts, v_account, v_amount);
    RETURN v_posting;
END $$;

-- Give back p_amount fen of a hold, or all that is open when NULL; how much was given back (0: nothing was open).
CREATE FUNCTION ledger_release(p_key text, p_hash bytea, p_hold uuid, p_amount bigint, p_move text, p_at timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v_account bigint; v_open bigint; v_amount bigint; v_hash bytea;
BEGIN
    SELECT account_id, amount_fen - captured_fen - released_fen INTO v_account, v_open
    FROM ledger_hold WHERE id = p_hold FOR UPDATE;
    IF v_account IS NULL THEN RAISE EXCEPTION 'unknown hold %', p_hold USING ERRCODE = 'HK005'; END IF;
    SELECT request_hash, amount_fen INTO v_hash, v_amount FROM ledger_holdmove WHERE key = p_key;
    IF FOUND THEN
        IF v_hash <> p_hash THEN RAISE EXCEPTION 'key % reused', p_key USING ERRCODE = 'HK001'; END IF;
        RETURN v_amount;
    END IF;
    v_amount := coalesce(p_amount, v_open);
    IF v_amount = 0 THEN RETURN 0; END IF;
    UPDATE ledger_hold SET released_fen = released_fen + v_amount WHERE id = p_hold;
    UPDATE ledger_account SET held_fen = held_fen - v_amount WHERE id = v_account;
    INSERT INTO ledger_holdmove (key, request_hash, hold_id, kind, amount_fen, posting_id, at)
    VALUES (p_key, p_hash, p_hold, p_move, v_amount, NULL, p_at);
    RETURN v_amount;
END $$;

-- Release what is open of holds whose time has passed; the holds' ids.
CREATE FUNCTION ledger_expire(p_at timestamptz, p_limit int)
RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v_hold uuid;
BEGIN
    FOR v_hold IN
        SELECT id FROM ledger_hold WHERE expires_at <= p_at AND amount_fen > captured_fen + released_fen
        ORDER BY id LIMIT p_limit FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM ledger_release('expire:' || v_hold, '\x'::bytea, v_hold, NULL, 'expired', p_at);
        RETURN NEXT v_hold;
    END LOOP;
END $$;

CREATE TRIGGER ledger_posting_append_only BEFORE UPDATE OR DELETE ON ledger_posting
    FOR EACH ROW EXECUTE FUNCTION kit_refuse_change();
CREATE TRIGGER ledger_leg_append_only BEFORE UPDATE OR DELETE ON ledger_leg
    FOR EACH ROW EXECUTE FUNCTION kit_refuse_change();
CREATE TRIGGER ledger_holdmove_append_only BEFORE UPDATE OR DELETE ON ledger_holdmove
    FOR EACH ROW EXECUTE FUNCTION kit_refuse_change();
