SELECT 0 AS f, p."k"::text AS k, p.d::text AS d FROM (SELECT t."data" AS d, json_build_array(ts_rank_cd(t."words", tq.query), t."id") AS "k" FROM (SELECT DISTINCT ON (((t."data"->>'grade'))::int8, (t."data"->>'status')) t.* FROM "public"."tv_ware" AS t, websearch_to_tsquery('english', %s) AS tq(query) WHERE ((t."data"->>'stock'))::int4 >= %s::int4 AND t."words" @@ tq.query ORDER BY ((t."data"->>'grade'))::int8, (t."data"->>'status'), ts_rank_cd(t."words", tq.query) DESC, t."id" DESC) AS t, websearch_to_tsquery('english', %s) AS tq(query) ORDER BY ts_rank_cd(t."words", tq.query) DESC, t."id" DESC LIMIT 3) AS p
UNION ALL
SELECT  -1, NULL, count(*)::text FROM (SELECT DISTINCT ON (((t."data"->>'grade'))::int8, (t."data"->>'status')) t.* FROM "public"."tv_ware" AS t, websearch_to_tsquery('english', %s) AS tq(query) WHERE ((t."data"->>'stock'))::int4 >= %s::int4 AND t."words" @@ tq.query ORDER BY ((t."data"->>'grade'))::int8, (t."data"->>'status'), ts_rank_cd(t."words", tq.query) DESC, t."id" DESC) AS t, websearch_to_tsquery('english', %s) AS tq(query)
-- "steel or words"
-- "0"
-- "steel or words"
-- "steel or words"
-- "0"
-- "steel or words"
