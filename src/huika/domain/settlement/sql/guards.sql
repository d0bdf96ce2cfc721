-- What no code may do to a payout, whatever goes wrong in it. SQLSTATE 23514 with the guard's name as constraint.

-- The living parts of a card's payout (or of its reserve's) never sum to more than was credited for it.
CREATE FUNCTION settlement_payout_within_credit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_due bigint; v_others bigint;
BEGIN
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
    IF (NEW.order_id, NEW.card_id, NEW.what, NEW.part, NEW.seller_id, NEW.payee_id, NEW.rail, NEW.amount_fen, NEW.number)
       IS DISTINCT FROM
       (OLD.order_id, OLD.card_id, OLD.what, OLD.part, OLD.seller_id, OLD.payee_id, OLD.rail, OLD.amount_fen, OLD.number)
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
