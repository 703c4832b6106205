-- Documents that embed one another: a ware its maker, a maker its wares.
CREATE VIEW v_ware AS
SELECT w.id, w.identifier, w.name, w.price, w.fk_maker,
       jsonb_build_object(
           'id', w.id, 'identifier', w.identifier, 'kind', w.kind, 'name', w.name, 'status', w.status,
           'grade', w.grade, 'price', w.price, 'weight', w.weight, 'barcode', w.barcode,
           'stock', w.stock, 'tags', w.tags, 'attributes', w.attributes,
           'released_at', w.released_at, 'pages', w.pages, 'watts', w.watts,
           'maker', CASE WHEN m.id IS NOT NULL THEN jsonb_build_object(
               'id', m.id, 'identifier', m.identifier, 'name', m.name, 'country', m.country,
               'founded', m.founded, 'office', m.office, 'wares', '[]'::jsonb) END
       ) AS data
  FROM tb_ware w
       LEFT JOIN tb_maker m ON m.pk_maker = w.fk_maker;

CREATE VIEW v_maker AS
SELECT m.id, m.identifier,
       jsonb_build_object(
           'id', m.id, 'identifier', m.identifier, 'name', m.name, 'country', m.country,
           'founded', m.founded, 'office', m.office,
           'wares', COALESCE((SELECT jsonb_agg(w.data ORDER BY w.identifier)
                                FROM v_ware w
                               WHERE w.fk_maker = m.pk_maker), '[]')
       ) AS data
  FROM tb_maker m;

CREATE VIEW v_book AS
SELECT w.id, w.data FROM v_ware w WHERE w.data->>'kind' = 'book';

CREATE TABLE tv_ware (
    id         uuid PRIMARY KEY,
    identifier text NOT NULL UNIQUE,
    data       jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT '2024-06-01 00:00:00+00',
    words      tsvector GENERATED ALWAYS AS (
        to_tsvector('english', (data->>'name') || ' ' || (data->>'tags'))
    ) STORED
);

CREATE INDEX tv_ware_words_idx ON tv_ware USING gin (words);

INSERT INTO tv_ware (id, identifier, data) SELECT id, identifier, data FROM v_ware;

CREATE VIEW v_category AS
SELECT c.id,
       json_build_object(
           'id', c.id, 'name', c.name,
           'parent', (SELECT json_build_object('id', p.id, 'name', p.name, 'children', '[]'::json)
                        FROM tb_category p WHERE p.id = c.fk_parent),
           'children', COALESCE((SELECT json_agg(json_build_object('id', k.id, 'name', k.name,
                                                                  'children', '[]'::json)
                                                 ORDER BY k.id)
                                   FROM tb_category k WHERE k.fk_parent = c.id), '[]'::json)
       ) AS data
  FROM tb_category c;

-- Columns are the document; one of them is a document itself.
CREATE VIEW v_stock_level AS
SELECT w.id, w.name AS ware_name, w.stock AS quantity, w.released_at AS checked_at, w.tags, w.price,
       w.weight, m.data AS maker, w.fk_maker IS NOT NULL AS has_maker
  FROM tb_ware w
       LEFT JOIN v_maker m ON m.id = (SELECT k.id FROM tb_maker k WHERE k.pk_maker = w.fk_maker);

CREATE MATERIALIZED VIEW mv_turnover AS
SELECT date '2024-01-01' + n AS day, n * 10.50 AS total, n::bigint AS orders
  FROM generate_series(0, 3) AS n;

-- Documents that break their type's promises, each in one way.
CREATE VIEW v_flawed AS
SELECT id, data
  FROM (VALUES
    (1, '{"id": 1, "name": "whole", "number": 1, "part": {"label": "p", "sizes": [1, 2]},
          "parts": [{"label": "q", "sizes": []}], "at": "2024-01-31T12:00:00+00:00", "kind": "left"}'::jsonb),
    (2, '{"id": 2, "name": null, "number": 2, "part": {"label": "p", "sizes": []}, "parts": []}'),
    (3, '{"id": 3, "name": "wrong", "number": "3", "part": {"label": null, "sizes": [1, "x"]},
          "parts": [{"label": "q", "sizes": [1]}, {"label": null, "sizes": []}, null],
          "at": "infinity", "kind": "up"}'),
    (4, '{"id": 4, "name": "absent"}'),
    (5, '{"id": 5, "name": "types", "number": 5, "part": "none", "parts": {"label": "q"}, "spare": 1,
          "at": 5, "kind": 7}')
  ) AS v (id, data);

CREATE SCHEMA archive;

CREATE VIEW archive."Odd ""100%"" view" AS
SELECT 1 AS id, 'Select'::text AS "Order", 50::int AS "50% off", '{"a''b": "it''s"}'::jsonb AS data;
