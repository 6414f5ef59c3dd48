{#
    A measure of the hour so many hours before the target, out of `days` (see the decisions); null
    where it is not known yet, or nothing was planned.
#}
{% macro hours_before(measure, hours) -%}
    try_element_at(days, {{ hours // 24 }} - day_ahead).{{ measure }}
{%- endmacro %}

{# The newest of these lags of a measure that there is. #}
{% macro newest_lag(measure, lags) -%}
    coalesce({% for hours in lags %}{{ measure }}_{{ hours }}h_before{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
