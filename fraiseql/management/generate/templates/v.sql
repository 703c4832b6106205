-- One document per {{ names.label }}{% if names.has_projection %}; {{ names.projection }} stores it{% endif %}.
CREATE OR REPLACE VIEW {{ names.view }} AS
SELECT t.id, t.identifier, t.created_at, t.updated_at,{% for one in table.references %} {{ one.alias }}.id AS {{ one.id }},{% endfor %}
       {% for part in parts %}
       jsonb_build_object(
           {% for entry in part %}
           {{ entry.key }}, {% if entry.listing %}COALESCE((
               SELECT jsonb_agg(i.{{ entry.listing.item.document }} ORDER BY {% if entry.listing.pairs %}x.place{% else %}i.created_at, i.{{ entry.listing.item.pk }}{% endif %})
                 FROM {{ entry.listing.item.view }} i
                 {% if entry.listing.pairs %}
                      JOIN {{ entry.listing.pairs }} x ON x.{{ entry.listing.item_fk }} = i.{{ entry.listing.item.pk }}
                WHERE x.{{ entry.listing.owner_fk }} = t.{{ names.pk }}
                {% else %}
                WHERE i.{{ entry.listing.fk }} = t.{{ names.pk }}
                {% endif %}
           ), '[]'){% elif entry.reference %}{{ entry.reference.alias }}.{% if entry.is_id %}id{% else %}{{ entry.reference.to.document }}{% endif %}{% else %}t.{{ entry.column }}{% endif %}{% if not forloop.last %},{% endif %}
           {% endfor %}
       ){% if not forloop.last %} ||{% else %} AS {{ names.document }},{% endif %}
       {% endfor %}
       t.{{ names.pk }}{% for one in table.references %}, t.{{ one.fk }}{% endfor %}
  FROM {{ names.table }} t
       {% for one in table.references %}
       {% if one.nullable %}LEFT {% endif %}JOIN {% if one.key %}{{ one.to.view }}{% else %}{{ one.to.table }}{% endif %} {{ one.alias }} ON {{ one.alias }}.{{ one.to.pk }} = t.{{ one.fk }}
       {% endfor %}
