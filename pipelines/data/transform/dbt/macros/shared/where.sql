{#
    Data tests look at the rows of the run's interval only: the others were tested when they were
    built. dbt's own data tests call this macro for the model they test.
#}
{% macro get_where_subquery(relation) -%}
    {%- if not execute -%} {{ return(relation) }} {%- endif -%}
    {%- set model = graph.nodes.values() | selectattr('alias', 'equalto', relation.identifier) | first -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ rows_of_interval(model) ~ ')') }}
{%- endmacro %}
