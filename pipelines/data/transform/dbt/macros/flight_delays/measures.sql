{# The names of the measures that `flight_events` makes for these windows. #}
{% macro measures(windows) -%}
    {%- set names = [] -%}
    {%- for event, hours in windows.items() -%}
        {%- for hour in hours -%} {%- do names.append(event ~ '_' ~ hour ~ 'h') -%} {%- endfor -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{# The share of an event's flights that were more than 15 minutes late; null where there is none. #}
{% macro rate(event, window) -%}
    total_{{ event }}_late_{{ window }} / nullif(num_{{ event }}_{{ window }}, 0)
{%- endmacro %}

{# An aggregate over the observations of the last hours before the instant. #}
{% macro recent(aggregate, value, hours) -%}
    {{ aggregate }}({{ value }}) filter (where instant <= event_at + interval {{ hours }} hours)
{%- endmacro %}

{# The newest observation against the newest of those that are older by at least so many hours. #}
{% macro change(column, hours) -%}
    max_by({{ column }}, event_at) - max_by({{ column }}, event_at) filter (
        where instant > event_at + interval {{ hours }} hours
    )
{%- endmacro %}
