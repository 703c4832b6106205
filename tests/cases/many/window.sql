SELECT t."data" FROM "public"."tv_ware" AS t ORDER BY t."id" LIMIT 2 OFFSET %s::bigint
-- "1"
