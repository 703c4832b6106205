ARRAY(
        {% for route in routes %}
        {% if forloop.first %}SELECT{% else %} UNION
        SELECT{% endif %} {{ route.last }}.id
        {% for join in route.joins %}
          {% if forloop.first %}FROM{% else %}     JOIN{% endif %} {{ join.table }} {{ join.alias }}{% if not forloop.first %} ON {{ join.alias }}.{{ join.column }} = {{ join.other }}.{{ join.other_column }}{% endif %}
        {% endfor %}
         WHERE {{ route.joins.0.alias }}.{{ route.joins.0.column }} = v_row.{{ route.joins.0.other_column }}
        {% endfor %}
    )