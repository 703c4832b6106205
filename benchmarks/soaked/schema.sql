-- What belongs to the tenant of the session, by its variable alone.
CREATE TABLE tb_item (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant  text NOT NULL,
    number  integer NOT NULL,
    touched integer NOT NULL DEFAULT 0,
    UNIQUE (tenant, number)
) WITH (fillfactor = 50);

INSERT INTO tb_item (tenant, number)
SELECT 'tenant-' || t, n FROM generate_series(0, 199) AS t, generate_series(1, 20) AS n;

CREATE VIEW v_item AS
SELECT id, number, jsonb_build_object('id', id, 'tenant', tenant, 'touched', touched) AS data
  FROM tb_item
 WHERE tenant = current_setting('app.tenant_id', true);

CREATE FUNCTION fn_wait(seconds float8) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_sleep(seconds);
    RETURN true;
END $$;

CREATE VIEW v_slow_item AS
SELECT id, data FROM v_item WHERE number = 1 AND fn_wait(0.2);

CREATE VIEW v_session AS
SELECT pg_backend_pid() AS id,
       jsonb_build_object(
           'id', pg_backend_pid(), 'prepared', (SELECT count(*) FROM pg_prepared_statements)
       ) AS data;

CREATE FUNCTION fn_touch_item(p_number integer) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_item jsonb;
BEGIN
    UPDATE tb_item SET touched = touched + 1
     WHERE tenant = current_setting('app.tenant_id', true) AND number = p_number
    RETURNING jsonb_build_object('id', id, 'tenant', tenant, 'touched', touched) INTO v_item;
    RETURN v_item;
END $$;
