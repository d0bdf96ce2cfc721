-- What no code may do to a card's price, whatever goes wrong in it. SQLSTATE 23514 with the guard's name as constraint.

-- What was accepted stays. A card's net moves only to what its seller agreed to: a requote of this very card.
CREATE FUNCTION trade_card_price_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.order_id, NEW.lot_id, NEW.n, NEW.accepted_net_fen)
       IS DISTINCT FROM (OLD.order_id, OLD.lot_id, OLD.n, OLD.accepted_net_fen) THEN
        RAISE EXCEPTION 'what was accepted for card % is fixed', OLD.id
            USING ERRCODE = '23514', CONSTRAINT = 'trade_card_accepted_fixed';
    ELSIF (NEW.net_fen, NEW.consent_id) IS DISTINCT FROM (OLD.net_fen, OLD.consent_id) AND NOT EXISTS (
        SELECT 1 FROM trade_requote WHERE id = NEW.consent_id AND card_id = NEW.id AND state = 'accepted'
        AND new_net_fen = NEW.net_fen
    ) THEN
        RAISE EXCEPTION 'nobody agreed to % for card %', NEW.net_fen, OLD.id
            USING ERRCODE = '23514', CONSTRAINT = 'trade_card_net_consented';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trade_card_price_fixed BEFORE UPDATE ON trade_card
    FOR EACH ROW EXECUTE FUNCTION trade_card_price_fixed();
