SELECT row_to_json(p.*) FROM (SELECT t."Order", t."50%% off" FROM "archive"."Odd ""100%%"" view" AS t WHERE t."50%% off" = %s::int4 ORDER BY t."Order", t."id" LIMIT 100) AS p
-- "50"
