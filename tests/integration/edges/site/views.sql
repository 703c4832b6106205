-- A row for each second one may have to wait, behind a table that says for how long.
CREATE TABLE tb_nap (id integer PRIMARY KEY, seconds double precision NOT NULL);

INSERT INTO tb_nap VALUES (1, 0), (2, 0.6), (3, 60);

CREATE FUNCTION fn_nap(seconds double precision) RETURNS text LANGUAGE plpgsql VOLATILE AS
$$ BEGIN PERFORM pg_sleep(seconds); RETURN 'rested'; END $$;

CREATE VIEW v_nap AS
SELECT n.id, jsonb_build_object('id', n.id, 'note', fn_nap(n.seconds)) AS data FROM tb_nap n;

CREATE VIEW v_gauge AS SELECT 1 AS id, jsonb_build_object('id', 1, 'reading', 7) AS data;

CREATE VIEW v_origin AS
SELECT 1 AS id, jsonb_build_object('id', 1, 'is_standby', pg_is_in_recovery()) AS data;
