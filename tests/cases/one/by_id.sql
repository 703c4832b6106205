SELECT t."data" FROM "public"."v_maker" AS t WHERE t."id" = %s LIMIT 1
-- "00000000-0000-4000-8000-0000000000a1"
