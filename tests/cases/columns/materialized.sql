SELECT row_to_json(p.*) FROM (SELECT t."day", t."total", t."orders" FROM "public"."mv_turnover" AS t WHERE t."day" = %s LIMIT 1) AS p
-- "2024-01-03"
