SELECT t."data" FROM "public"."tv_ware" AS t, websearch_to_tsquery('english', %s) AS tq(query) WHERE ((t."data"->>'stock'))::int4 >= %s::int4 AND t."words" @@ tq.query ORDER BY ts_rank_cd(t."words", tq.query) DESC, t."id" DESC LIMIT 5
-- "map or \"large prints\" or words -essays"
-- "0"
