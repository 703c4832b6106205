-- Whether a text search configuration is there.
-- in   name text, with or without its schema
-- out  found boolean; one row
SELECT EXISTS (
           SELECT FROM pg_ts_config AS c
                  JOIN pg_namespace AS n ON n.oid = c.cfgnamespace
            WHERE %s IN (c.cfgname, n.nspname || '.' || c.cfgname)
       ) AS found
