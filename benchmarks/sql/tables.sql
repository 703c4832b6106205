-- The write side: 10,000 users, 100,000 posts, 500,000 comments, the same on every machine.
-- What looks random comes from md5, so that no row depends on a seed or on the order of work.

CREATE TABLE tb_user (
    pk_user int PRIMARY KEY,
    id uuid NOT NULL,
    identifier text NOT NULL,
    full_name text NOT NULL,
    email text NOT NULL,
    bio text NOT NULL,
    is_active boolean NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE tb_post (
    pk_post int PRIMARY KEY,
    id uuid NOT NULL,
    identifier text NOT NULL,
    fk_user int NOT NULL,
    title text NOT NULL,
    content text NOT NULL,
    tags text[] NOT NULL,
    view_count int NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE tb_comment (
    pk_comment int PRIMARY KEY,
    id uuid NOT NULL,
    fk_post int NOT NULL,
    fk_user int NOT NULL,
    content text NOT NULL,
    created_at timestamptz NOT NULL
);

-- 0 .. below-1, the same for the same words.
CREATE FUNCTION pick(words text, below int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('x' || left(md5(words), 8))::bit(32)::bigint % below;

-- One of 4,096 sentences of 60 to 110 characters, some with what JSON has to escape.
CREATE FUNCTION sentence(number int) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (ARRAY[
    'The second migration', 'A reader from Malmö', 'Her note on "views"', 'Every index we kept',
    'The night train', 'An old reply', 'The café below the office', 'Nobody in the room',
    'A table without a key', 'The last release', 'Our first customer', 'The map on the wall',
    'What the log did not say', 'A slow morning', 'The shorter answer', 'One of the editors'
])[1 + number % 16] || ' ' || (ARRAY[
    'took longer than', 'was mistaken for', 'arrived a day before', 'made less noise than',
    'could not be told from', 'had more friends than', 'was written after', 'said nothing about',
    'stood in the way of', 'reminded us of', 'never asked for', 'kept the company of',
    'lost an hour to', 'was copied into', 'would outlive', 'owed its name to'
])[1 + number / 16 % 16] || ' ' || (ARRAY[
    'the plan that everyone agreed to in March.', 'a spreadsheet with three colours.',
    'the path C:\data\posts and what lay behind it.', 'the harbour, the rain and the two cranes.',
    'a question of taste – or of time.', 'the third chapter, which is still missing.',
    'all of the tests that passed by accident.', 'the smaller of the two machines.',
    'a letter that began with "Dear all".', 'the winter when the heating was off.',
    'the old house on the corner of the square.', E'one list:\n- bread\n- salt\n- a new battery.',
    'the only photograph of the whole team.', 'the promise that was made to the auditors.',
    'a bicycle, two keys and 40 € in coins.', 'the quiet week between the holidays.'
])[1 + number / 256 % 16];

CREATE FUNCTION prose(words text, sentences int) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT string_agg(sentence(pick(words || ':' || i, 4096)), ' ' ORDER BY i)
      FROM generate_series(1, sentences) AS i
);

INSERT INTO tb_user
SELECT i,
       md5('user:' || i)::uuid,
       'user-' || lpad(i::text, 5, '0'),
       'Ada Number ' || i,
       'ada.' || i || '@example.org',
       sentence(pick('bio:' || i, 4096)),
       i % 10 <> 0,
       timestamptz '2019-01-01 00:00:00+00' + i * interval '47 minutes'
  FROM generate_series(1, 10000) AS i;

-- Titles: 100 topics of about 1,000 posts, each in 6 parts of about 166.
INSERT INTO tb_post
SELECT i,
       md5('post:' || i)::uuid,
       'post-' || lpad(i::text, 6, '0'),
       1 + pick('author:' || i, 10000),
       'Topic ' || 100 + pick('topic:' || i, 100) || ', part ' || 1 + pick('part:' || i, 6) || ': number ' || i,
       prose('post:' || i, 10),
       ARRAY['tag-' || pick('tag:' || i, 50), 'tag-' || 50 + pick('tag:' || i, 40), 'database'],
       pick('views:' || i, 100000),
       timestamptz '2020-01-01 00:00:00+00' + i * interval '30 minutes 1.25 seconds'
  FROM generate_series(1, 100000) AS i;

-- Five comments a post on average, from none to 17.
INSERT INTO tb_comment
SELECT i,
       md5('comment:' || i)::uuid,
       1 + pick('of:' || i, 100000),
       1 + pick('by:' || i, 10000),
       sentence(pick('comment:' || i, 4096)),
       timestamptz '2020-01-01 12:00:00+00' + i * interval '6 minutes 0.5 seconds'
  FROM generate_series(1, 500000) AS i;

CREATE INDEX tb_comment_fk_post_idx ON tb_comment (fk_post, created_at);

ANALYZE tb_user, tb_post, tb_comment;
