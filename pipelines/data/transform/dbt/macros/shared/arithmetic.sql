{# Whole sums first, then one division: the result does not depend on the order of the rows. #}
{% macro mean_of(column) -%}
    sum({{ column }}) / nullif(count({{ column }}), 0)
{%- endmacro %}

{% macro minutes_between(first, second) -%}
    (unix_seconds({{ second }}) - unix_seconds({{ first }})) / 60
{%- endmacro %}
