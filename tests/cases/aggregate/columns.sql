SELECT 0 AS f, NULL AS k, json_build_object('keys', json_build_object('hasMaker', g."c0", 'checkedAt', g."c1"), 'sum', json_build_object('quantity', g."c2"))::text AS d FROM (SELECT t."has_maker" AS "c0", date_trunc('quarter', (t."checked_at" AT TIME ZONE 'UTC')) AS "c1", sum((t."quantity")::int8) AS "c2" FROM "public"."v_stock_level" AS t GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 100) AS g
UNION ALL
SELECT 1 AS f, NULL AS k, json_build_object('keys', json_build_object('grade', g."c0"), 'count', g."c1")::text AS d FROM (SELECT ((t."data"->>'grade'))::int8 AS "c0", count(*) AS "c1", max(((t."data"->>'stock'))::int4) AS "c2" FROM "public"."tv_ware" AS t GROUP BY 1 HAVING (max(((t."data"->>'stock'))::int4))::int4 < %s::int4 ORDER BY 1 LIMIT 50) AS g
-- "100"
