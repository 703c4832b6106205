-- {{ table.description }}
-- Joins use {{ names.pk }}; the world sees id and identifier.
CREATE TABLE {{ names.table }} (
    {{ names.pk|ljust:width }} int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    {{ "id"|ljust:width }} uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    {{ "identifier"|ljust:width }} text NOT NULL UNIQUE{% if table.identifier.is_optional %} DEFAULT '{{ names.stem }}-' || gen_random_uuid(){% endif %},
    {% for one in table.references %}
    {{ one.fk|ljust:width }} int{% if not one.nullable %} NOT NULL{% endif %} REFERENCES {{ one.to.table }},
    {% endfor %}
    {% for one in table.columns %}
    {{ one.name|ljust:width }} {{ one.input.type }}{% if not one.nullable %} NOT NULL{% endif %}{% if one.input.default %} DEFAULT {{ one.input.default }}{% endif %}{% if one.labels and one.is_array %} CHECK ({{ one.name }} <@ ARRAY[{{ one.labels|join:", " }}]::{{ one.input.type }}){% elif one.labels %} CHECK ({{ one.name }} IN ({{ one.labels|join:", " }})){% endif %}{% if not one.holds_null %} CHECK (array_position({{ one.name }}, NULL) IS NULL){% endif %},
    {% endfor %}
    {% if table.locks %}
    {{ "version"|ljust:width }} int NOT NULL DEFAULT 1,
    {% endif %}
    {{ "created_at"|ljust:width }} timestamptz NOT NULL DEFAULT now(),
    {{ "updated_at"|ljust:width }} timestamptz NOT NULL DEFAULT now()
)
