-- What the shop's mutations write.
CREATE TABLE tb_stall (
    pk_stall   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    identifier text NOT NULL UNIQUE,
    fk_maker   integer REFERENCES tb_maker DEFERRABLE INITIALLY IMMEDIATE,
    name       text NOT NULL,
    note       text,
    capacity   integer NOT NULL DEFAULT 10,
    tags       text[] NOT NULL DEFAULT '{}',
    opened_at  timestamptz,
    version    integer NOT NULL DEFAULT 1,
    CONSTRAINT canary_capacity CHECK (capacity > 0)
);

CREATE VIEW v_stall AS
SELECT s.id, s.identifier,
       jsonb_build_object(
           'id', s.id, 'identifier', s.identifier, 'name', s.name, 'note', s.note,
           'capacity', s.capacity, 'tags', s.tags, 'opened_at', s.opened_at, 'version', s.version,
           'maker', (SELECT m.data FROM v_maker m JOIN tb_maker t ON t.id = m.id
                      WHERE t.pk_maker = s.fk_maker)
       ) AS data
  FROM tb_stall s;

-- The id of the row written.
CREATE FUNCTION fn_open_stall(
    p_identifier text,
    p_name text,
    p_maker_id uuid DEFAULT NULL,
    p_capacity integer DEFAULT 7,
    p_tags text[] DEFAULT '{new}',
    p_note text DEFAULT 'none',
    p_opened_at timestamptz DEFAULT NULL
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
    v_maker integer;
BEGIN
    IF p_maker_id IS NOT NULL THEN
        SELECT pk_maker INTO v_maker FROM tb_maker WHERE id = p_maker_id;
        v_maker := coalesce(v_maker, -1);
    END IF;
    INSERT INTO tb_stall (identifier, name, fk_maker, capacity, tags, note, opened_at)
    VALUES (p_identifier, p_name, v_maker, p_capacity, p_tags, p_note, p_opened_at)
    RETURNING id INTO v_id;
    RETURN v_id;
END $$;

-- The same, which says when somebody else was faster.
CREATE FUNCTION fn_rename_stall(p_id uuid, p_name text, p_expected_version integer)
RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tb_stall SET name = p_name, version = version + 1
     WHERE id = p_id AND version = p_expected_version;
    IF NOT FOUND THEN
        IF NOT EXISTS (SELECT FROM tb_stall WHERE id = p_id) THEN
            RAISE EXCEPTION 'There is no such stall.' USING ERRCODE = 'PT404', DETAIL = 'canary detail';
        END IF;
        RAISE EXCEPTION 'The stall has changed.' USING ERRCODE = 'PT409', HINT = 'canary hint';
    END IF;
    RETURN p_id;
END $$;

-- One jsonb with the keys that were sent; a mutation_response.
CREATE FUNCTION fn_change_stall(input jsonb) RETURNS mutation_response LANGUAGE plpgsql AS $$
DECLARE
    v_stall tb_stall;
    v_result mutation_response;
BEGIN
    SELECT * INTO v_stall FROM tb_stall WHERE id = (input->>'id')::uuid FOR UPDATE;
    IF NOT FOUND THEN
        v_result.status := 'not_found:stall';
        RETURN v_result;
    END IF;
    IF input->>'name' = 'same' THEN
        v_result.status := 'noop:unchanged';
        v_result.message := 'Nothing to change.';
        v_result.metadata := '{"field": "name"}';
        RETURN v_result;
    END IF;
    IF input->'tags' @> '["bad"]' THEN
        v_result.status := 'validation:tags';
        v_result.metadata := '{"errors": [
            {"field": "p_tags", "code": "BAD_USER_INPUT", "message": "No bad tags.", "identifier": "bad"},
            {"field": null, "code": "NOT_A_CODE", "message": "Nor others."}]}';
        RETURN v_result;
    END IF;
    UPDATE tb_stall
       SET name = coalesce(input->>'name', name),
           note = CASE WHEN input ? 'note' THEN input->>'note' ELSE note END,
           version = version + 1
     WHERE pk_stall = v_stall.pk_stall;
    v_result.status := 'updated';
    v_result.message := 'Changed ' || (SELECT string_agg(key, ', ' ORDER BY key) FROM jsonb_object_keys(input) key);
    v_result.entity_id := v_stall.id;
    v_result.updated_fields := ARRAY(SELECT key FROM jsonb_object_keys(input) key WHERE key <> 'id' ORDER BY key);
    v_result.cascade := jsonb_build_object(
        'updated', jsonb_build_array(jsonb_build_object('type', 'Maker', 'id', '1', 'entity', '{"n": 1.50}'::jsonb)),
        'invalidated', jsonb_build_array('stalls'));
    RETURN v_result;
END $$;

-- The payload itself.
CREATE FUNCTION fn_close_stall(id uuid) RETURNS jsonb LANGUAGE sql AS $$
    DELETE FROM tb_stall s WHERE s.id = fn_close_stall.id
    RETURNING jsonb_build_object('id', s.id, 'identifier', s.identifier, 'name', s.name, 'capacity', s.capacity,
                                 'tags', s.tags, 'version', s.version)
$$;

-- Ids of several rows.
CREATE FUNCTION fn_double_stalls(p_ids uuid[]) RETURNS SETOF uuid LANGUAGE sql AS $$
    UPDATE tb_stall SET capacity = capacity * 2 WHERE id = ANY (p_ids);
    SELECT u.id FROM unnest(p_ids) WITH ORDINALITY AS u (id, n) ORDER BY n
$$;

CREATE FUNCTION fn_stall_ids() RETURNS uuid[] LANGUAGE sql AS $$
    SELECT array_agg(id ORDER BY identifier DESC) FROM tb_stall
$$;

-- A batch: a row for each item, in their order.
CREATE FUNCTION fn_import_stalls(p_items jsonb) RETURNS SETOF mutation_response LANGUAGE plpgsql AS $$
DECLARE
    v_item jsonb;
    v_result mutation_response;
BEGIN
    FOR v_item IN SELECT * FROM jsonb_array_elements(p_items) LOOP
        v_result := NULL;
        BEGIN
            v_result.entity_id := fn_open_stall(v_item->>'identifier', v_item->>'name',
                                                p_capacity := coalesce((v_item->>'capacity')::int, 1));
            v_result.status := 'created';
        EXCEPTION WHEN unique_violation THEN
            v_result.status := 'conflict:identifier';
            v_result.message := 'Taken.';
            v_result.metadata := '{"field": "identifier"}';
        END;
        RETURN NEXT v_result;
    END LOOP;
END $$;

-- A row that is the document; nothing; a number.
CREATE FUNCTION fn_seal(p_label text, p_sizes jsonb) RETURNS TABLE (label text, sizes jsonb) LANGUAGE sql AS $$
    SELECT p_label, p_sizes WHERE p_label <> 'none'
$$;

CREATE FUNCTION fn_ring() RETURNS void LANGUAGE sql AS $$ SELECT $$;

CREATE FUNCTION fn_count_stalls(p_more integer DEFAULT 0) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) + p_more FROM tb_stall
$$;

-- Fails as it is told.
CREATE FUNCTION fn_fail(p_how text, p_data jsonb DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CASE p_how
        WHEN 'raise' THEN
            RAISE EXCEPTION 'You may not.' USING DETAIL = 'canary detail', HINT = 'canary hint',
                TABLE = 'canary_table', CONSTRAINT = 'canary_constraint';
        WHEN 'sleep' THEN PERFORM pg_sleep(30);
        WHEN 'internal' THEN PERFORM 1 / 0 FROM canary_nowhere;
        WHEN 'denied' THEN RAISE insufficient_privilege USING MESSAGE = 'canary message';
        WHEN 'missing' THEN PERFORM fn_canary_missing();
        WHEN 'busy' THEN RAISE EXCEPTION 'canary' USING ERRCODE = '53300';
        WHEN 'strict' THEN SELECT 1 / (pk_stall - pk_stall) INTO STRICT p_how FROM tb_stall WHERE false;
        WHEN 'serialization' THEN RAISE serialization_failure USING MESSAGE = 'canary message';
        ELSE EXECUTE format('SELECT %s', p_how);
    END CASE;
END $$;

-- Something that must not happen twice.
CREATE FUNCTION fn_extend_stall(p_id uuid, p_by integer) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tb_stall SET capacity = capacity + p_by WHERE id = p_id;
    RETURN p_id;
END $$
