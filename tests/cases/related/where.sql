SELECT 0 AS f, NULL AS k, p.d::text AS d FROM (SELECT t."data" AS d FROM "public"."tv_opus" AS t WHERE (EXISTS (SELECT FROM "public"."tv_scribe" AS t1 WHERE t1."id" = t."writer_id" AND EXISTS (SELECT FROM "public"."tv_scribe" AS t2 WHERE t2."id" = ((t1."data"->>'mentor_id'))::uuid AND (t2."data"->>'name') = %s::text)) OR EXISTS (SELECT FROM jsonb_array_elements(CASE WHEN jsonb_typeof(t."data"->'remarks') = 'array' THEN t."data"->'remarks' END) AS e3(value) WHERE (((e3.value->>'stars'))::int4 > %s::int4 AND EXISTS (SELECT FROM "public"."tv_scribe" AS t4 WHERE t4."id" = ((e3.value->>'writer_id'))::uuid AND (t4."data"->>'name') LIKE %s::text)))) ORDER BY (t."data"->>'title'), t."id" LIMIT 100) AS p
UNION ALL
SELECT 1 AS f, NULL AS k, p.d::text AS d FROM (SELECT t."data" AS d FROM "public"."tv_scribe" AS t WHERE ((NOT EXISTS (SELECT FROM "public"."tv_opus" AS t1 WHERE t1."writer_id" = t."id" AND ((t1."data"->>'stars'))::int4 > %s::int4) AND EXISTS (SELECT FROM "public"."tv_opus" AS t2 WHERE t2."writer_id" = t."id")) AND NOT EXISTS (SELECT FROM "public"."tv_scribe" AS t3 WHERE ((t3."data"->>'mentor_id'))::uuid = t."id" AND ((t3."data"->>'name') = %s::text) IS NOT TRUE)) ORDER BY t."id" LIMIT 100) AS p
-- "Ada"
-- "3"
-- "B%"
-- "4"
-- "Cy"
