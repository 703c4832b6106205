-- {{ names.view }}, stored: what queries read.
CREATE TABLE {{ names.projection }} (
    {{ "id"|ljust:width }} uuid PRIMARY KEY,
    {{ "identifier"|ljust:width }} text NOT NULL UNIQUE,
    {% for one in table.references %}
    {{ one.id|ljust:width }} uuid{% if not one.nullable %} NOT NULL{% endif %},
    {% endfor %}
    {{ names.document|ljust:width }} jsonb NOT NULL,
    {{ "created_at"|ljust:width }} timestamptz NOT NULL,
    {{ "updated_at"|ljust:width }} timestamptz NOT NULL
)
