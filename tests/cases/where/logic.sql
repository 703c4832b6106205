SELECT t."data" FROM "public"."tv_ware" AS t WHERE (true AND (((t."data"->>'stock'))::int4 = %s::int4 OR (((t."data"->>'grade'))::int8 = %s::int8) IS NOT TRUE) AND ((t."data"->>'weight') IS NULL) IS NOT TRUE) ORDER BY t."id" LIMIT 5
-- "0"
-- "2"
