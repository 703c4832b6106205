SELECT 0 AS f, NULL AS k, p.d::text AS d FROM (SELECT t."data" AS d FROM "public"."v_maker" AS t WHERE t."identifier" = %s LIMIT 1) AS p
UNION ALL
SELECT 1 AS f, NULL AS k, p.d::text AS d FROM (SELECT t."data" AS d FROM "public"."v_category" AS t WHERE (t."data"->>'name') = %s::text ORDER BY t."id" LIMIT 100) AS p
UNION ALL
SELECT 2 AS f, NULL AS k, p.d::text AS d FROM (SELECT t."data" AS d FROM "public"."v_maker" AS t ORDER BY t."id" LIMIT 2) AS p
UNION ALL
SELECT  -3, NULL, count(*)::text FROM "public"."v_maker" AS t
-- "anvil"
-- "Books"
