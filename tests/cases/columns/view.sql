SELECT row_to_json(p.*) FROM (SELECT t."ware_name", t."quantity", t."maker" FROM "public"."v_stock_level" AS t WHERE ((t."maker"->>'founded'))::int4 < %s::int4 ORDER BY t."quantity" DESC, t."id" DESC LIMIT 2) AS p
-- "1900"
