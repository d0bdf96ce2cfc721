-- What no code may do to a payout, whatever goes wrong in it. SQLSTATE 23514 with the guard's name as constraint.

-- The living parts of a card's payout (or of its reserve's) never sum to more than was credited for it.
CREATE FUNCTION settlement_payout_within_credit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_due bigint; v_others bigint;
BEGIN
    -- An order is paid in cash or by rails, never both: its payouts wait for each other here.
    PERFORM pg_advisory_xact_lock(hashtextextended('settlement.order:' || NEW.order_id, 0));
    IF NEW.what = 'card' AND EXISTS (
        SELECT 1 FROM settlement_payout WHERE order_id = NEW.order_id AND what = 'card'
        AND state NOT IN ('failed', 'returned') AND (rail = 'cash') <> (NEW.rail = 'cash')
    ) THEN
        RAISE EXCEPTION 'order % is paid in cash or by rails', NEW.order_id
            USING ERRCODE = '23514', CONSTRAINT = 'settlement_cash_or_rail';
    END IF;
    IF NEW.rail = 'cash' THEN RETURN NEW; END IF;
    -- The lock makes two payouts of one card wait for each other.
    IF NEW.what = 'card' THEN
        SELECT net_fen - reserve_fen INTO v_due FROM settlement_capture WHERE card_id = NEW.card_id FOR UPDATE;
    ELSE
        SELECT to_seller_fen INTO v_due FROM settlement_reserve WHERE card_id = NEW.card_id FOR UPDATE;
    END IF;
    SELECT coalesce(sum(amount_fen), 0) INTO v_others FROM settlement_payout
    WHERE card_id = NEW.card_id AND what = NEW.what AND state NOT IN ('failed', 'returned');
    IF v_due IS NULL OR v_others + NEW.amount_fen > v_due THEN
        RAISE EXCEPTION 'payout % is more than was credited for the card', NEW.id
            USING ERRCODE = '23514', CONSTRAINT = 'settlement_payout_within_credit';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settlement_payout_within_credit BEFORE INSERT ON settlement_payout
    FOR EACH ROW EXECUTE FUNCTION settlement_payout_within_credit();

-- Whom, how much, by what and under which number is fixed when a payout is made. Failed and returned are final, and so
-- is paid but for money that comes back.
CREATE FUNCTION settlement_payout_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.order_id, NEW.card_id, NEW.what, NEW.part, NEW.seller_id, NEW.payee_id, NEW.courier_id, NEW.rail,
        NEW.amount_fen, NEW.rounding_fen, NEW.number)
       IS DISTINCT FROM
       (OLD.order_id, OLD.card_id, OLD.what, OLD.part, OLD.seller_id, OLD.payee_id, OLD.courier_id, OLD.rail,
        OLD.amount_fen, OLD.rounding_fen, OLD.number)
       OR (OLD.paid_at IS NOT NULL AND NEW.paid_at IS DISTINCT FROM OLD.paid_at)
       OR (OLD.state IN ('failed', 'returned') AND NEW.state <> OLD.state)
       OR (OLD.state = 'paid' AND NEW.state NOT IN ('paid', 'returned')) THEN
        RAISE EXCEPTION 'payout % is fixed', OLD.id USING ERRCODE = '23514', CONSTRAINT = 'settlement_payout_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settlement_payout_fixed BEFORE UPDATE ON settlement_payout
    FOR EACH ROW EXECUTE FUNCTION settlement_payout_fixed();

-- What was credited for a card stays; only the custodian's answer is added.
CREATE FUNCTION settlement_capture_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.card_id, NEW.freeze_id, NEW.amount_fen, NEW.net_fen, NEW.accepted_net_fen, NEW.reserve_fen, NEW.consent)
       IS DISTINCT FROM
       (OLD.card_id, OLD.freeze_id, OLD.amount_fen, OLD.net_fen, OLD.accepted_net_fen, OLD.reserve_fen, OLD.consent)
       OR (OLD.done_at IS NOT NULL AND NEW.done_at IS DISTINCT FROM OLD.done_at) THEN
        RAISE EXCEPTION 'capture of % is fixed', OLD.card_id
            USING ERRCODE = '23514', CONSTRAINT = 'settlement_capture_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settlement_capture_fixed BEFORE UPDATE ON settlement_capture
    FOR EACH ROW EXECUTE FUNCTION settlement_capture_fixed();

-- Whose a reserve is, of how much and until when is fixed; what it ended in too.
CREATE FUNCTION settlement_reserve_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.card_id, NEW.order_id, NEW.freeze_id, NEW.seller_id, NEW.payee_id, NEW.amount_fen, NEW.release_at)
       IS DISTINCT FROM
       (OLD.card_id, OLD.order_id, OLD.freeze_id, OLD.seller_id, OLD.payee_id, OLD.amount_fen, OLD.release_at)
       OR (OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.to_seller_fen, NEW.to_recycler_fen, NEW.decision)
           IS DISTINCT FROM (OLD.ended_at, OLD.to_seller_fen, OLD.to_recycler_fen, OLD.decision)) THEN
        RAISE EXCEPTION 'reserve of % is fixed', OLD.card_id
            USING ERRCODE = '23514', CONSTRAINT = 'settlement_reserve_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settlement_reserve_fixed BEFORE UPDATE ON settlement_reserve
    FOR EACH ROW EXECUTE FUNCTION settlement_reserve_fixed();

-- A freeze's lot, recycler, hold and amount; a debt's words; what a difference was found to be.
CREATE FUNCTION settlement_row_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_column text;
BEGIN
    FOREACH v_column IN ARRAY TG_ARGV LOOP
        IF to_jsonb(NEW) -> v_column IS DISTINCT FROM to_jsonb(OLD) -> v_column THEN
            RAISE EXCEPTION '% of % is fixed', v_column, TG_TABLE_NAME
                USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_fixed';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER settlement_freeze_fixed BEFORE UPDATE ON settlement_freeze FOR EACH ROW
    EXECUTE FUNCTION settlement_row_fixed('lot_id', 'order_id', 'recycler_id', 'hold_id', 'amount_fen');
CREATE TRIGGER settlement_debt_fixed BEFORE UPDATE ON settlement_debt FOR EACH ROW
    EXECUTE FUNCTION settlement_row_fixed('payout_id', 'number', 'order_id', 'seller_id', 'amount_fen');
CREATE TRIGGER settlement_difference_fixed BEFORE UPDATE ON settlement_difference FOR EACH ROW
    EXECUTE FUNCTION settlement_row_fixed('day', 'kind', 'movement', 'request', 'ours_fen', 'theirs_fen');
