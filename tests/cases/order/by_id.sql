SELECT t."data" FROM "public"."v_maker" AS t ORDER BY t."id" DESC LIMIT 1
