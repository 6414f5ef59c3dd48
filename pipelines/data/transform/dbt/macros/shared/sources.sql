{#
    A table of bronze at the version that the run pinned: its view may be swapped meanwhile. Without
    a pin, as in `dbt parse` and `dbt docs`, the view itself.
#}
{% macro source(source_name, table_name) -%}
    {%- set relation = builtins.source(source_name, table_name) -%}
    {{ return(var('sources', {}).get(table_name, relation)) }}
{%- endmacro %}
