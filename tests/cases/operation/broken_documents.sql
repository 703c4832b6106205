SELECT 0 AS f, NULL AS k, p.d::text AS d FROM (SELECT t."data" AS d FROM "public"."v_flawed" AS t WHERE t."id" = %s::int4 LIMIT 1) AS p
UNION ALL
SELECT 1 AS f, NULL AS k, p.d::text AS d FROM (SELECT t."data" AS d FROM "public"."v_maker" AS t WHERE t."identifier" = %s LIMIT 1) AS p
-- "3"
-- "birch"
