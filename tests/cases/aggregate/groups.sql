SELECT json_build_object('keys', json_build_object('status', g."c0", 'releasedAt', g."c1", 'maker', json_build_object('identifier', g."c2")), 'count', g."c3", 'sum', json_build_object('price', g."c4")) FROM (SELECT (t."data"->>'status') AS "c0", date_trunc('month', ((t."data"->>'released_at'))::timestamptz, %s) AS "c1", (t."data"->'maker'->>'identifier') AS "c2", count(*) AS "c3", sum(((t."data"->>'price'))::numeric) AS "c4" FROM "public"."tv_ware" AS t WHERE ((t."data"->>'stock'))::int4 >= %s::int4 GROUP BY 1, 2, 3 HAVING (count(*) >= %s::int4 AND (sum(((t."data"->>'price'))::numeric) > %s) IS NOT TRUE) ORDER BY 4 DESC, 2, 1, 3 LIMIT 5) AS g
-- "Europe/Berlin"
-- "0"
-- "1"
-- "1000"
