-- All that is needed to make objects again as they are.
-- in   classes oid[], objects oid[]: catalog and row of each
-- out  one JSON object for each that exists, in the order given; its keys are those of Definition
SELECT json_build_object(
         'catalog', given.class::bigint,
         'object', given.object::bigint,
         'kind', made.kind,
         'schema', made.schema,
         'name', made.name,
         'address', made.address,
         'create', made.ddl,
         'owner', made.owner,
         'grants', (
             SELECT coalesce(json_agg(json_build_array(
                      g.privilege_type, nullif(g.grantee, 0)::regrole::text, g.is_grantable, NULL)), '[]')
               FROM aclexplode(made.acl) AS g),
         'column_grants', (
             SELECT coalesce(json_agg(json_build_array(
                      g.privilege_type, nullif(g.grantee, 0)::regrole::text, g.is_grantable, a.attname)), '[]')
               FROM pg_attribute a, aclexplode(a.attacl) AS g
              WHERE a.attrelid = made.relation AND a.attnum > 0),
         'comment', obj_description(given.object, given.class::regclass::text),
         'column_comments', (
             SELECT coalesce(json_object_agg(a.attname, c.description), '{}')
               FROM pg_attribute a
               JOIN pg_description c ON c.objoid = a.attrelid AND c.objsubid = a.attnum
                                    AND c.classoid = 'pg_class'::regclass
              WHERE a.attrelid = made.relation AND a.attnum > 0),
         'columns', (
             SELECT coalesce(json_agg(a.attname), '[]')
               FROM pg_attribute a
              WHERE a.attrelid = made.relation AND a.attnum > 0 AND NOT a.attisdropped
                AND a.attgenerated = ''),
         'column_defaults', (
             SELECT coalesce(json_object_agg(a.attname, pg_get_expr(d.adbin, d.adrelid)), '{}')
               FROM pg_attribute a
               JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              WHERE a.attrelid = made.relation AND made.kind = 'view'),
         'indexes', (
             SELECT coalesce(json_agg(json_build_array(
                      x.relname, pg_get_indexdef(i.indexrelid),
                      obj_description(i.indexrelid, 'pg_class')) ORDER BY x.relname), '[]')
               FROM pg_index i
               JOIN pg_class x ON x.oid = i.indexrelid
              WHERE i.indrelid = made.relation
                AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)),
         'after', made.after
       )::text
  FROM unnest(%s::oid[], %s::oid[]) WITH ORDINALITY AS given (class, object, place)
 CROSS JOIN LATERAL (
       SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END,
              n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname),
              concat(CASE c.relkind WHEN 'v' THEN 'CREATE VIEW ' ELSE 'CREATE MATERIALIZED VIEW ' END,
                     format('%%I.%%I', n.nspname, c.relname),
                     (SELECT format(' WITH (%%s)', string_agg(format('%%s=%%L', split_part(option, '=', 1),
                                    substr(option, strpos(option, '=') + 1)), ', '))
                        FROM unnest(c.reloptions) AS option HAVING count(*) > 0),
                     ' AS ', rtrim(pg_get_viewdef(c.oid), ';'),
                     CASE WHEN NOT c.relispopulated THEN ' WITH NO DATA' END),
              c.relowner::regrole::text, coalesce(c.relacl, acldefault('r', c.relowner)), c.oid, NULL
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE given.class = 'pg_class'::regclass AND c.oid = given.object AND c.relkind IN ('v', 'm')
        UNION ALL
       SELECT 'table', n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname), '',
              c.relowner::regrole::text, coalesce(c.relacl, acldefault('r', c.relowner)), c.oid,
              CASE WHEN c.relrowsecurity
                   THEN format('ALTER TABLE %%I.%%I ENABLE ROW LEVEL SECURITY%%s', n.nspname, c.relname,
                               CASE WHEN c.relforcerowsecurity THEN ', FORCE ROW LEVEL SECURITY' END)
              END
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE given.class = 'pg_class'::regclass AND c.oid = given.object AND c.relkind IN ('r', 'p')
        UNION ALL
       SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
              n.nspname, p.proname,
              format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
              pg_get_functiondef(p.oid),
              p.proowner::regrole::text, coalesce(p.proacl, acldefault('f', p.proowner)), NULL, NULL
         FROM pg_proc p
         JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE given.class = 'pg_proc'::regclass AND p.oid = given.object AND p.prokind <> 'a'
        UNION ALL
       SELECT 'trigger', n.nspname, t.tgname, format('%%I ON %%I.%%I', t.tgname, n.nspname, c.relname),
              pg_get_triggerdef(t.oid), NULL, NULL, NULL,
              CASE t.tgenabled
                   WHEN 'D' THEN format('ALTER TABLE %%I.%%I DISABLE TRIGGER %%I', n.nspname, c.relname, t.tgname)
                   WHEN 'R' THEN format('ALTER TABLE %%I.%%I ENABLE REPLICA TRIGGER %%I', n.nspname, c.relname, t.tgname)
                   WHEN 'A' THEN format('ALTER TABLE %%I.%%I ENABLE ALWAYS TRIGGER %%I', n.nspname, c.relname, t.tgname)
              END
         FROM pg_trigger t
         JOIN pg_class c ON c.oid = t.tgrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE given.class = 'pg_trigger'::regclass AND t.oid = given.object
        UNION ALL
       SELECT 'rule', n.nspname, r.rulename, format('%%I ON %%I.%%I', r.rulename, n.nspname, c.relname),
              pg_get_ruledef(r.oid), NULL, NULL, NULL, NULL
         FROM pg_rewrite r
         JOIN pg_class c ON c.oid = r.ev_class
         JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE given.class = 'pg_rewrite'::regclass AND r.oid = given.object
        UNION ALL
       SELECT 'policy', n.nspname, p.polname, format('%%I ON %%I.%%I', p.polname, n.nspname, c.relname),
              concat(format('CREATE POLICY %%I ON %%I.%%I AS ', p.polname, n.nspname, c.relname),
                     CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                     CASE p.polcmd WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT'
                                   WHEN 'w' THEN ' FOR UPDATE' WHEN 'd' THEN ' FOR DELETE' ELSE ' FOR ALL' END,
                     ' TO ', (SELECT string_agg(coalesce(nullif(role, 0)::regrole::text, 'PUBLIC'), ', ')
                                FROM unnest(p.polroles) AS role),
                     ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                     ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
              NULL, NULL, NULL, NULL
         FROM pg_policy p
         JOIN pg_class c ON c.oid = p.polrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE given.class = 'pg_policy'::regclass AND p.oid = given.object
       ) AS made (kind, schema, name, address, ddl, owner, acl, relation, after)
 ORDER BY given.place
