SELECT t."data" FROM "public"."tv_ware" AS t WHERE ((t."data"->>'name') LIKE %s::text AND t."identifier" LIKE %s::text) ORDER BY t."id" LIMIT 5
-- "%50\\%%"
-- "e%"
