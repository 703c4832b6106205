-- FraiseQL 1 hands a mutation's whole input to a function as one jsonb, and wants this row back.
DROP FUNCTION IF EXISTS fraiseql_1_create_comment(jsonb);
CREATE FUNCTION fraiseql_1_create_comment(
    input jsonb,
    OUT status text, OUT message text, OUT entity_id text, OUT entity_type text, OUT entity jsonb,
    OUT updated_fields text[], OUT cascade jsonb, OUT metadata jsonb
) LANGUAGE plpgsql AS $$
BEGIN
    status := 'created';
    entity_type := 'Comment';
    entity := fn_create_comment_document(
        (input->>'post_id')::uuid, (input->>'author_id')::uuid, input->>'content'
    );
    entity_id := entity->>'id';
END $$;
