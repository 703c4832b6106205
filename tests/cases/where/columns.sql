SELECT 0 AS f, NULL AS k, p.d::text AS d FROM (SELECT t."data" AS d FROM "public"."tv_ware" AS t WHERE (t."id" = ANY (%s) AND t."identifier" <> %s) ORDER BY t."id" LIMIT 5) AS p
UNION ALL
SELECT 1 AS f, NULL AS k, (SELECT row_to_json(r.*) FROM (SELECT p."name") AS r)::text AS d FROM (SELECT t."name" FROM "public"."tb_courier" AS t WHERE (t."id" > %s::int8 AND t."active" = %s AND t."grade" = %s AND t."zones" @> %s) ORDER BY t."id" LIMIT 100) AS p
-- "{\"00000000-0000-4000-8000-000000000001\"}"
-- "drill"
-- "1"
-- "true"
-- "2"
-- "{\"2\"}"
