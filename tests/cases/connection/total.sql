SELECT  -1, NULL, count(*)::text FROM "public"."v_maker" AS t WHERE (t."data"->>'country') IS NOT NULL
