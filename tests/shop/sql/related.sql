-- Views whose objects belong to one another, without being embedded.
CREATE TABLE tv_scribe (
    id   uuid PRIMARY KEY,
    data jsonb NOT NULL
);

CREATE TABLE tv_opus (
    id         uuid PRIMARY KEY,
    writer_id  uuid,
    written_at timestamptz NOT NULL,
    data       jsonb NOT NULL
);

CREATE INDEX tv_opus_writer_id_written_at_idx ON tv_opus (writer_id, written_at, id);

CREATE TABLE tb_jotting (
    id      bigint PRIMARY KEY,
    work    uuid,
    made_by text,
    body    text NOT NULL
);

-- Columns are the document; the writer's id is a text, and in no field.
CREATE VIEW v_jotting AS
SELECT j.id, j.work AS work_id, j.made_by, j.body FROM tb_jotting j;

INSERT INTO tv_scribe (id, data)
SELECT id, jsonb_build_object('id', id, 'name', name, 'mentor_id', mentor, 'desk', desk)
  FROM (VALUES
    ('00000000-0000-4000-8000-00000000b001'::uuid, 'Ada', NULL::uuid,
     '{"room": "attic", "owner_id": "00000000-0000-4000-8000-00000000b002"}'::jsonb),
    ('00000000-0000-4000-8000-00000000b002', 'Bo', '00000000-0000-4000-8000-00000000b001', NULL),
    ('00000000-0000-4000-8000-00000000b003', 'Cy', '00000000-0000-4000-8000-00000000b001',
     '{"room": "50%", "owner_id": null}'),
    -- Whose mentor is gone.
    ('00000000-0000-4000-8000-00000000b004', 'Di', '00000000-0000-4000-8000-00000000bfff', NULL)
  ) AS w (id, name, mentor, desk);

INSERT INTO tv_opus (id, writer_id, written_at, data)
SELECT w.id, w.writer, at,
       jsonb_build_object('id', w.id, 'kind', kind, 'title', title, 'stars', stars, 'writer_id', w.writer,
                          'written_at', at, 'pages', 10 * stars, 'remarks', remarks)
  FROM (VALUES
    ('00000000-0000-4000-8000-00000000c001'::uuid, '00000000-0000-4000-8000-00000000b001'::uuid,
     '2024-01-01 00:00:00+00'::timestamptz, 'essay', 'Aims', 5,
     '[{"text": "fine", "stars": 4, "writer_id": "00000000-0000-4000-8000-00000000b002"},
       {"text": "long", "stars": 2, "writer_id": null}]'::jsonb),
    ('00000000-0000-4000-8000-00000000c002', '00000000-0000-4000-8000-00000000b001',
     '2024-01-02 00:00:00+00', 'poem', 'Boats', 3, '[]'),
    ('00000000-0000-4000-8000-00000000c003', '00000000-0000-4000-8000-00000000b001',
     '2024-01-03 00:00:00+00', 'poem', 'Clouds', NULL, NULL),
    ('00000000-0000-4000-8000-00000000c004', '00000000-0000-4000-8000-00000000b001',
     '2024-01-03 00:00:00+00', 'essay', 'Dunes "50%"', 1,
     '[{"text": "short", "stars": 4, "writer_id": "00000000-0000-4000-8000-00000000b003"}, null]'),
    ('00000000-0000-4000-8000-00000000c005', '00000000-0000-4000-8000-00000000b002',
     '2024-02-01 00:00:00+00', 'essay', 'Elms', 4,
     '[{"text": "fine", "stars": 1, "writer_id": "00000000-0000-4000-8000-00000000b001"}]'),
    ('00000000-0000-4000-8000-00000000c006', NULL, '2024-03-01 00:00:00+00', 'poem', 'Fog', 2, '[]')
  ) AS w (id, writer, at, kind, title, stars, remarks);

INSERT INTO tb_jotting (id, work, made_by, body)
VALUES (1, '00000000-0000-4000-8000-00000000c001', '00000000-0000-4000-8000-00000000b001', 'begin'),
       (2, '00000000-0000-4000-8000-00000000c001', '00000000-0000-4000-8000-00000000b002', 'end'),
       (3, NULL, NULL, 'lost'),
       (9007199254740993, '00000000-0000-4000-8000-00000000c005',
        '00000000-0000-4000-8000-00000000b001', 'trees');
