SELECT CASE WHEN NOT fraiseql_r IS NULL THEN to_json(fraiseql_r) END::text FROM "public"."fn_seal"("p_label" => %s::text, "p_sizes" => %s::jsonb) AS fraiseql_r
-- "l"
-- "[1,2]"

SELECT CASE WHEN NOT fraiseql_r IS NULL THEN to_json(fraiseql_r) END::text FROM "public"."fn_count_stalls"("p_more" => %s::integer) AS fraiseql_r
-- "2"

SELECT NULL::text FROM "public"."fn_ring"()
