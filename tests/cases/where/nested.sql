SELECT t."data" FROM "public"."tv_ware" AS t WHERE (((t."data"->'maker'->'office'->>'ipv4_address'))::inet <<= %s::inet AND ((t."data"->'maker'->>'founded'))::int4 < %s::int4) ORDER BY t."id" LIMIT 5
-- "10.0.0.0/8"
-- "1900"
