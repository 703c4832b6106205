-- Delete {{ names.one }}{% for one in table.lists %}{% if one.fk %} and its {{ one.name }}{% endif %}{% endfor %}, and return its id.
CREATE OR REPLACE FUNCTION {{ names.prefix }}fn_delete_{{ names.stem }}(p_id uuid) RETURNS uuid LANGUAGE plpgsql AS $function$
DECLARE
    v_row {{ names.table }};
    {% for one in holders %}
    v_{{ one.names.stem }}_ids uuid[];
    {% endfor %}
BEGIN
    SELECT * INTO v_row FROM {{ names.table }} t WHERE t.id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such {{ names.label }}.' USING ERRCODE = 'PT404';
    END IF;
    {% for one in holders %}
    v_{{ one.names.stem }}_ids := {% include "ids.sql" with routes=one.routes %};
    {% endfor %}
    {% for one in table.lists %}
    {% if one.fk %}
    PERFORM {{ one.item.prefix }}fn_delete_{{ one.item.stem }}(i.id) FROM {{ one.item.table }} i WHERE i.{{ one.fk }} = v_row.{{ names.pk }};
    {% endif %}
    {% endfor %}
    DELETE FROM {{ names.table }} t WHERE t.id = p_id;
    {% if names.has_projection %}
    PERFORM {{ names.prefix }}fn_sync_tv_{{ names.stem }}(ARRAY[p_id]);
    {% endif %}
    {% for one in holders %}
    PERFORM {{ one.names.prefix }}fn_sync_tv_{{ one.names.stem }}(v_{{ one.names.stem }}_ids);
    {% endfor %}
    RETURN p_id;
END $function$
