-- The functions that mutations are bound to, every overload of each.
-- in   names text[], as SQL writes them: fn_create_post, blog.fn_create_post; else by search_path
-- out  one JSON object for each function found; its keys are those of Function
SELECT json_build_object(
         'requested', requested.name,
         'schema', n.nspname,
         'name', p.proname,
         'signature', pg_get_function_identity_arguments(p.oid),
         'arguments', (
             SELECT coalesce(json_agg(json_build_object(
                      'name', coalesce(a.name, ''),
                      'type', format_type(a.type, NULL),
                      'base', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL),
                      'labels', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)
                                   FROM pg_enum e
                                  WHERE e.enumtypid IN (t.oid, t.typbasetype, t.typelem)),
                      'has_default', a.input_place > p.pronargs - p.pronargdefaults
                    ) ORDER BY a.place), '[]')
               FROM (
                 SELECT u.type, u.place, p.proargnames[u.place] AS name,
                        row_number() OVER (ORDER BY u.place) AS input_place
                   FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]))
                          WITH ORDINALITY AS u (type, place)
                  WHERE coalesce(p.proargmodes[u.place], 'i') IN ('i', 'b', 'v')
               ) AS a
               JOIN pg_type t ON t.oid = a.type),
         'returns', format_type(coalesce(nullif(r.typbasetype, 0), r.oid), NULL),
         'returns_set', p.proretset,
         'returns_row', r.typtype = 'c' OR r.oid = 'record'::regtype,
         'columns', CASE
             WHEN r.typtype = 'c' THEN (
                 SELECT json_agg(a.attname ORDER BY a.attnum)
                   FROM pg_attribute a
                  WHERE a.attrelid = r.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
             WHEN r.oid = 'record'::regtype THEN (
                 SELECT json_agg(p.proargnames[m.place] ORDER BY m.place)
                   FROM unnest(p.proargmodes) WITH ORDINALITY AS m (mode, place)
                  WHERE m.mode IN ('o', 'b', 't'))
         END,
         'is_definer', p.prosecdef,
         'has_search_path', EXISTS (
             SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search_path=%%'),
         'is_public', p.proacl IS NULL OR EXISTS (
             SELECT FROM aclexplode(p.proacl) AS acl
              WHERE acl.grantee = 0 AND acl.privilege_type = 'EXECUTE'),
         'is_volatile', p.provolatile = 'v'
       )::text
  FROM unnest(%s::text[]) AS requested (name)
 CROSS JOIN parse_ident(requested.name) AS parts
  JOIN pg_proc p ON p.proname = parts[cardinality(parts)]
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_type r ON r.oid = p.prorettype
 WHERE p.prokind = 'f'
   AND CASE cardinality(parts) WHEN 1 THEN pg_function_is_visible(p.oid) ELSE n.nspname = parts[1] END
