-- The rows that the planner expects of a select. It is planned and not run.
-- in   query       the select, with %L where format() is to put a parameter
--      parameters  in the order of their places
-- out  at most 2147483647, the greatest Int of GraphQL
CREATE FUNCTION fraiseql_estimate_v1(query text, parameters text[]) RETURNS integer
    LANGUAGE plpgsql PARALLEL RESTRICTED AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || format(query, VARIADIC parameters) INTO plan;
    RETURN least((plan #>> '{0,Plan,Plan Rows}')::numeric, 2147483647);
END
$$
