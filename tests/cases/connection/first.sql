SELECT 0 AS f, p."k"::text AS k, p.d::text AS d FROM (SELECT t."data" AS d, json_build_array((t."data"->>'name'), t."id") AS "k" FROM "public"."tv_ware" AS t ORDER BY (t."data"->>'name'), t."id" LIMIT 3) AS p
UNION ALL
SELECT  -1, NULL, count(*)::text FROM "public"."tv_ware" AS t
