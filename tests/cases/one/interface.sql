SELECT t."data" FROM "public"."tv_ware" AS t WHERE t."identifier" = %s LIMIT 1
-- "atlas"
