-- Change what the input has of {{ names.one }}, and return its id. A key that was not sent leaves the column alone.
CREATE OR REPLACE FUNCTION {{ names.prefix }}fn_update_{{ names.stem }}({{ input }} jsonb) RETURNS uuid LANGUAGE plpgsql AS $function$
DECLARE
    v_id uuid := {{ input }}->>'id';
    v_row {{ names.table }};
    {% for one in holders %}
    {% if one.moving %}
    v_{{ one.names.stem }}_ids uuid[];
    {% endif %}
    {% endfor %}
BEGIN
    SELECT * INTO v_row FROM {{ names.table }} t WHERE t.id = v_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such {{ names.label }}.' USING ERRCODE = 'PT404';
    END IF;
    {% if table.locks %}
    IF ({{ input }}->>'expected_version')::int <> v_row.version THEN
        RAISE EXCEPTION 'The {{ names.label }} has changed meanwhile.' USING ERRCODE = 'PT409';
    END IF;
    {% endif %}
    {% for one in holders %}
    {% if one.moving %}
    v_{{ one.names.stem }}_ids := {% include "ids.sql" with routes=one.moving %};
    {% endif %}
    {% endfor %}
    v_row := jsonb_populate_record(v_row, {{ input }});
    {% for one in table.references %}
    IF {{ input }} ? '{{ one.id }}' THEN
        SELECT r.{{ one.to.pk }} INTO v_row.{{ one.fk }} FROM {{ one.to.table }} r WHERE r.id = ({{ input }}->>'{{ one.id }}')::uuid;
        IF NOT FOUND{% if one.nullable %} AND {{ input }}->>'{{ one.id }}' IS NOT NULL{% endif %} THEN
            RAISE EXCEPTION 'There is no such {{ one.to.label }}.' USING ERRCODE = 'PT404';
        END IF;
    END IF;
    {% endfor %}
    UPDATE {{ names.table }} t
       SET identifier = v_row.identifier,
           {% for one in table.references %}
           {{ one.fk }} = v_row.{{ one.fk }},
           {% endfor %}
           {% for one in table.columns %}
           {{ one.name }} = {% if one.input.default %}COALESCE(v_row.{{ one.name }}, {{ one.input.default }}){% else %}v_row.{{ one.name }}{% endif %},
           {% endfor %}
           {% if table.locks %}
           version = t.version + 1,
           {% endif %}
           updated_at = now()
     WHERE t.id = v_id
    RETURNING * INTO v_row;
    {% for one in table.pairs %}
    IF {{ input }} ? '{{ one.ids }}' THEN
        PERFORM {{ one.setter }}(v_row.{{ names.pk }}, ARRAY(
            SELECT jsonb_array_elements_text(NULLIF({{ input }}->'{{ one.ids }}', 'null'))
        )::uuid[]);
    END IF;
    {% endfor %}
    {% if names.has_projection %}
    PERFORM {{ names.prefix }}fn_sync_tv_{{ names.stem }}(ARRAY[v_id]);
    {% endif %}
    {% for one in holders %}
    PERFORM {{ one.names.prefix }}fn_sync_tv_{{ one.names.stem }}({% if one.moving %}v_{{ one.names.stem }}_ids || {% endif %}{% include "ids.sql" with routes=one.routes %});
    {% endfor %}
    RETURN v_id;
END $function$
