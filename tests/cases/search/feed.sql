SELECT 0 AS f, p."k"::text AS k, p.d::text AS d FROM (SELECT t."data" AS d, json_build_array(ts_rank_cd(t."words", tq.query), t."id") AS "k" FROM "public"."tv_ware" AS t, websearch_to_tsquery('english', %s) AS tq(query) WHERE t."words" @@ tq.query ORDER BY ts_rank_cd(t."words", tq.query) DESC, t."id" DESC LIMIT 2) AS p
UNION ALL
SELECT  -1, NULL, count(*)::text FROM "public"."tv_ware" AS t, websearch_to_tsquery('english', %s) AS tq(query) WHERE t."words" @@ tq.query
-- "steel"
-- "steel"
