-- The transaction gets its xid first and draws the event's id afterwards: the sequencer's low-water mark relies on it.
CREATE FUNCTION kit_record(p_verb text, p_subject uuid, p_facts jsonb, p_parts jsonb, p_salt bytea, p_at timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_xid bigint := pg_current_xact_id()::text::bigint;
    v_id bigint;
BEGIN
    INSERT INTO kit_event (xid, at, verb, subject, facts, parts, salt)
    VALUES (v_xid, p_at, p_verb, p_subject, p_facts, p_parts, p_salt) RETURNING id INTO v_id;
    RETURN v_id;
END $$;

CREATE FUNCTION kit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'HK009';
END $$;

CREATE TRIGGER kit_event_append_only BEFORE UPDATE OR DELETE ON kit_event
    FOR EACH ROW EXECUTE FUNCTION kit_refuse_change();
CREATE TRIGGER kit_eventplace_append_only BEFORE UPDATE OR DELETE ON kit_eventplace
    FOR EACH ROW EXECUTE FUNCTION kit_refuse_change();

-- Writers never NOTIFY (it takes a lock on the whole database through commit): workers poll for jobs instead.
DROP TRIGGER IF EXISTS procrastinate_jobs_notify_queue_job_inserted_v1 ON procrastinate_jobs;
