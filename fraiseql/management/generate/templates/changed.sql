{% for route in routes %}{% if not forloop.first %}
             UNION
            {% endif %}SELECT {{ route.last }}.{{ key }}
              FROM {{ changed }} {{ route.start }}{% for join in route.joins %}
                   JOIN {{ join.table }} {{ join.alias }} ON {{ join.alias }}.{{ join.column }} = {{ join.other }}.{{ join.other_column }}{% endfor %}{% endfor %}