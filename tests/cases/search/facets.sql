SELECT 0 AS f, NULL AS k, p.d::text AS d FROM (SELECT t."data" AS d FROM "public"."tv_ware" AS t, websearch_to_tsquery('english', %s) AS tq(query) WHERE t."words" @@ tq.query ORDER BY (t."data"->>'name') DESC, t."id" DESC LIMIT 5) AS p
UNION ALL
SELECT 1 AS f, NULL AS k, json_build_object('keys', json_build_object('status', g."c0"), 'count', g."c1")::text AS d FROM (SELECT (t."data"->>'status') AS "c0", count(*) AS "c1" FROM "public"."tv_ware" AS t, websearch_to_tsquery('english', %s) AS tq(query) WHERE t."words" @@ tq.query GROUP BY 1 ORDER BY 1 LIMIT 50) AS g
-- "words"
-- "words"
