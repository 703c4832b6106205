-- One document per {{ names.label }}{% if names.has_projection %}; {{ names.projection }} stores it{% endif %}.
CREATE OR REPLACE VIEW {{ names.view }} AS
SELECT t.id, t.identifier, t.created_at, t.updated_at,{% for one in table.references %} {{ one.alias }}.id AS {{ one.id }},{% endfor %}
       {% for part in parts %}
       jsonb_build_object(
           {% for entry in part %}
           {{ entry.key }}, {% if entry.listing %}COALESCE((
               SELECT jsonb_agg(v.{{ entry.listing.item.document }} ORDER BY {% if entry.listing.pairs %}x.place{% else %}i.{{ entry.listing.item.pk }}{% endif %})
                 {% if entry.listing.pairs %}
                 FROM {{ entry.listing.pairs }} x
                      JOIN {{ entry.listing.item.table }} i ON i.{{ entry.listing.item.pk }} = x.{{ entry.listing.item_fk }}
                      JOIN {{ entry.listing.item.view }} v ON v.id = i.id
                WHERE x.{{ entry.listing.owner_fk }} = t.{{ names.pk }}
                {% else %}
                 FROM {{ entry.listing.item.table }} i
                      JOIN {{ entry.listing.item.view }} v ON v.id = i.id
                WHERE i.{{ entry.listing.fk }} = t.{{ names.pk }}
                {% endif %}
           ), '[]'){% elif entry.reference %}{% if entry.is_id %}{{ entry.reference.alias }}.id{% else %}{{ entry.reference.document_alias }}.{{ entry.reference.to.document }}{% endif %}{% else %}t.{{ entry.column }}{% endif %}{% if not forloop.last %},{% endif %}
           {% endfor %}
       ){% if not forloop.last %} ||{% else %} AS {{ names.document }}{% endif %}
       {% endfor %}
  FROM {{ names.table }} t
       {% for one in table.references %}
       {% if one.nullable %}LEFT {% endif %}JOIN {{ one.to.table }} {{ one.alias }} ON {{ one.alias }}.{{ one.to.pk }} = t.{{ one.fk }}
       {% if one.key %}
       {% if one.nullable %}LEFT {% endif %}JOIN {{ one.to.view }} {{ one.document_alias }} ON {{ one.document_alias }}.id = {{ one.alias }}.id
       {% endif %}
       {% endfor %}
