SELECT set_config('fraiseql.result', coalesce(array_agg(fraiseql_r)::text, '{}'), true) FROM "public"."fn_open_stall"("p_identifier" => %s::text, "p_name" => %s::text, "p_capacity" => %s::integer, "p_tags" => %s::text[]) AS fraiseql_r
-- "first"
-- "First"
-- "10"
-- "{\"a\",\"b\"}"

SELECT t."data" FROM "public"."v_stall" AS t WHERE t."id" = ANY (current_setting('fraiseql.result')::uuid[]) LIMIT 1

SELECT set_config('fraiseql.result', coalesce(array_agg(fraiseql_r)::text, '{}'), true) FROM "public"."fn_open_stall"("p_identifier" => %s::text, "p_name" => %s::text, "p_capacity" => %s::integer) AS fraiseql_r
-- "first"
-- "First"
-- "10"

SELECT t."data" FROM "public"."v_stall" AS t WHERE t."id" = ANY (current_setting('fraiseql.result')::uuid[]) LIMIT 1
