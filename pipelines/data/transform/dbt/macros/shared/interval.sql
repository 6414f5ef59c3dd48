{# The run's interval as literals: literal dates prune partitions, in reads and in writes. #}

{% macro interval_start() -%}
    {{ return(modules.datetime.datetime.fromisoformat(var('interval_start'))) }}
{%- endmacro %}

{% macro interval_end() -%}
    {{ return(modules.datetime.datetime.fromisoformat(var('interval_end'))) }}
{%- endmacro %}

{% macro instant(at) -%}
    timestamp'{{ at.strftime('%Y-%m-%d %H:%M:%S') }}Z'
{%- endmacro %}

{# The dates that [at - days, end) touches. #}
{% macro _dates(days=0) -%}
    {%- set first = interval_start() - modules.datetime.timedelta(days=days) -%}
    {%- set last = interval_end() - modules.datetime.timedelta(microseconds=1) -%}
    known_date between date'{{ first.strftime('%Y-%m-%d') }}' and date'{{ last.strftime('%Y-%m-%d') }}'
{%- endmacro %}

{# Facts that became known in the interval, [start, end). #}
{% macro known_in_interval() -%}
    {{ _dates() }} and known_at >= {{ instant(interval_start()) }} and known_at < {{ instant(interval_end()) }}
{%- endmacro %}

{#
    States at instants in the interval, (start, end]: midnight belongs to the day that it ends. A
    model says that its rows are such by its meta, `step_minutes` or (at no grid) `instants`.
#}
{% macro instants_of_interval() -%}
    {{ _dates() }} and known_at > {{ instant(interval_start()) }} and known_at <= {{ instant(interval_end()) }}
{%- endmacro %}

{# Everything known by the interval's end, as far back as `days` before its start. #}
{% macro known_by_end(days) -%}
    {{ _dates(days) }} and known_at < {{ instant(interval_end()) }}
{%- endmacro %}

{# Which rows of a model belong to the interval: what a run replaces, and what its tests look at. #}
{% macro rows_of_interval(model) -%}
    {%- set meta = model.config.meta -%}
    {%- if meta.get('snapshot') -%} true
    {%- elif meta.get('step_minutes') or meta.get('instants') -%} {{ instants_of_interval() }}
    {%- else -%} {{ known_in_interval() }}
    {%- endif -%}
{%- endmacro %}
