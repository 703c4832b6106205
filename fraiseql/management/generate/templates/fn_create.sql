-- Write {{ names.one }} and return its id. What the constraints refuse, the client hears at the input field.
CREATE OR REPLACE FUNCTION {{ names.prefix }}fn_create_{{ names.stem }}(
    {% for one in inputs %}
    p_{{ one.name|ljust:input_width }} {{ one.type }}{% if one.is_optional %} DEFAULT {{ one.default|default:"NULL" }}{% endif %}{% if not forloop.last %},{% endif %}
    {% endfor %}
) RETURNS uuid LANGUAGE plpgsql AS $function$
DECLARE
    v_row {{ names.table }};
BEGIN
    {% for one in table.references %}
    SELECT r.{{ one.to.pk }} INTO v_row.{{ one.fk }} FROM {{ one.to.table }} r WHERE r.id = p_{{ one.id }};
    IF NOT FOUND{% if one.nullable %} AND p_{{ one.id }} IS NOT NULL{% endif %} THEN
        RAISE EXCEPTION 'There is no such {{ one.to.label }}.' USING ERRCODE = 'PT404';
    END IF;
    {% endfor %}
    INSERT INTO {{ names.table }} (identifier{% for one in table.references %}, {{ one.fk }}{% endfor %}{% for one in table.columns %}, {{ one.name }}{% endfor %})
    VALUES ({% if table.identifier.is_optional %}COALESCE(p_identifier, '{{ names.stem }}-' || gen_random_uuid()){% else %}p_identifier{% endif %}{% for one in table.references %}, v_row.{{ one.fk }}{% endfor %}{% for one in table.columns %}, {% if one.input.default %}COALESCE(p_{{ one.input.name }}, {{ one.input.default }}){% else %}p_{{ one.input.name }}{% endif %}{% endfor %})
    RETURNING * INTO v_row;
    {% for one in table.pairs %}
    PERFORM {{ one.setter }}(v_row.{{ names.pk }}, p_{{ one.ids }});
    {% endfor %}
    {% if names.has_projection %}
    PERFORM {{ names.prefix }}fn_sync_tv_{{ names.stem }}(ARRAY[v_row.id]);
    {% endif %}
    {% for one in holders %}
    {% if one.moving %}
    PERFORM {{ one.names.prefix }}fn_sync_tv_{{ one.names.stem }}({% include "ids.sql" with routes=one.moving %});
    {% endif %}
    {% endfor %}
    RETURN v_row.id;
END $function$
