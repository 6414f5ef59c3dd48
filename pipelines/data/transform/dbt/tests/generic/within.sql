{# Each column lies within its two limits, inclusive, where it has a value. #}
{% test within(model, limits) %}
select {{ limits | join(', ') }}
from {{ model }}
where
    {% for column, (lowest, highest) in limits.items() -%}
    {{ column }} not between {{ lowest }} and {{ highest }} {{ 'or' if not loop.last }}
    {% endfor %}
{% endtest %}
