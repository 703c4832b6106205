SELECT t."data" FROM "public"."tv_ware" AS t ORDER BY ((t."data"->>'grade'))::int8 DESC NULLS LAST, (t."data"->'maker'->>'name'), t."id" LIMIT 3
