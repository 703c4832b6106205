-- Users of the demonstration; those already there stay as they are.
-- in   users jsonb: [{id, identifier, name, email, bio, created_at}]
INSERT INTO tb_user (id, identifier, name, email, bio, created_at)
SELECT u.id, u.identifier, u.name, u.email, u.bio, u.created_at
  FROM jsonb_to_recordset(%s::jsonb)
           AS u (id uuid, identifier text, name text, email text, bio text, created_at timestamptz)
    ON CONFLICT DO NOTHING
