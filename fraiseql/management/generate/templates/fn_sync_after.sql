-- Bring the projections in step that hold rows of {{ table }}, once for each statement that changes them.
CREATE OR REPLACE FUNCTION {{ function }}() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
    {% for one in holders %}
    v_{{ one.names.stem }}_ids {{ one.key_type }}[];
    {% endfor %}
BEGIN
    -- Whoever writes what the same projection holds waits here, and then sees what was written before.
    {% for one in holders|dictsort:"names.projection" %}
    PERFORM pg_advisory_xact_lock(hashtextextended('{{ one.names.projection }}', 0));
    {% endfor %}
    IF TG_OP = 'TRUNCATE' THEN
        {% for one in holders %}
        v_{{ one.names.stem }}_ids := ARRAY(SELECT p.{{ one.key }} FROM {{ one.names.projection }} p);
        {% endfor %}
    ELSE
        {% for one in holders %}
        v_{{ one.names.stem }}_ids := ARRAY(
            {% include "changed.sql" with routes=one.routes changed="changed" key=one.key %}
        );
        {% endfor %}
    END IF;
    {% if are_moving %}
    IF TG_OP = 'UPDATE' THEN
        {% for one in holders %}
        {% if one.moving %}
        v_{{ one.names.stem }}_ids := v_{{ one.names.stem }}_ids || ARRAY(
            {% include "changed.sql" with routes=one.moving changed="changed_from" key=one.key %}
        );
        {% endif %}
        {% endfor %}
    END IF;
    {% endif %}
    {% for one in holders %}
    IF v_{{ one.names.stem }}_ids <> '{}' THEN
        PERFORM {{ one.names.prefix }}fn_sync_tv_{{ one.names.stem }}(v_{{ one.names.stem }}_ids);
    END IF;
    {% endfor %}
    RETURN NULL;
END $function$
