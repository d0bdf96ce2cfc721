-- Cards, what was called, what was used at the issuer, what was released. Nothing here is readable without the
-- key set, which is kept outside the database.

CREATE TABLE vault.card (
    card_id uuid PRIMARY KEY,
    order_id uuid NOT NULL,
    picture text NOT NULL CHECK (picture ~ '^([0-9a-f]{64})?$'),
    wrapped_number bytea NOT NULL,
    wrapped_pin bytea,
    blind bytea NOT NULL CHECK (octet_length(blind) = 32),
    seals smallint NOT NULL CHECK (seals BETWEEN 1 AND 5),
    state text NOT NULL CHECK (state IN ('sealed', 'changed', 'used', 'wiped')),
    standing text NOT NULL CHECK (standing IN ('held', 'sold', 'returned')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT card_pin_wiped CHECK ((wrapped_pin IS NULL) = (state IN ('used', 'wiped')))
);
CREATE INDEX card_blind ON vault.card (blind);

-- One row for each capability spent. digest is the SHA-256 of the whole request; answer holds no secret and is
-- null where the answer is kept in vault.use or, for a release, made afresh.
CREATE TABLE vault.call (
    jti uuid PRIMARY KEY,
    card_id uuid NOT NULL,
    order_id uuid NOT NULL,
    verb text NOT NULL,
    event bigint NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    answer jsonb,
    at timestamptz NOT NULL
);

-- next_pin is the wrapped PIN a pin_change asks for, kept before the issuer is called so that a lost answer
-- loses no PIN. asked_until is the lease of the one call now asking the issuer.
CREATE TABLE vault.use (
    jti uuid PRIMARY KEY REFERENCES vault.call,
    card_id uuid NOT NULL REFERENCES vault.card,
    verb text NOT NULL CHECK (verb IN ('use.balance', 'use.bind', 'use.redeem', 'use.pin_change')),
    request_no uuid NOT NULL UNIQUE,
    state text NOT NULL CHECK (state IN ('pending', 'done', 'refused', 'unknown')),
    next_pin bytea,
    answer jsonb,
    asked_until timestamptz,
    at timestamptz NOT NULL,
    done_at timestamptz,
    CONSTRAINT use_settled CHECK (
        state IN ('pending', 'unknown')
        OR (next_pin IS NULL AND asked_until IS NULL AND answer IS NOT NULL AND done_at IS NOT NULL)
    )
);
-- At most one operation that changes a card may be open: two accounts must never be bound to one card.
CREATE UNIQUE INDEX use_one_open ON vault.use (card_id) WHERE state IN ('pending', 'unknown') AND verb <> 'use.balance';
CREATE INDEX use_card ON vault.use (card_id);

CREATE TABLE vault.release (
    jti uuid PRIMARY KEY REFERENCES vault.call,
    card_id uuid NOT NULL REFERENCES vault.card,
    recipient text NOT NULL,
    recipient_key_id text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX release_card ON vault.release (card_id);
