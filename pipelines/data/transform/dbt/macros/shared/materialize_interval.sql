{#
    Replaces the rows of the run's interval, also by none; dbt-spark's own strategies keep the old
    rows then. The YAML's columns are the table's schema: made at the first run, and a column that
    is new there is added.
#}
{% materialization interval, adapter='spark' -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- call statement('make_table') -%} {{ _make_table(this, model) }} {%- endcall -%}
    {%- set names = _add_new_columns(this, model.columns.values()) -%}
    {%- call statement('main') -%}
        insert into {{ this }} replace where {{ rows_of_interval(model) }}
        select {{ names | join(', ') }} from (
        {{ sql }}
        )
    {%- endcall -%}
    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}

{% macro _make_table(relation, model) -%}
    create table if not exists {{ relation }} (
        {{ _definitions(model.columns.values()) }}
    ) using delta
    {% if not model.config.meta.get('snapshot') %} partitioned by (known_date) {% endif %}
{%- endmacro %}

{% macro _definitions(columns) -%}
    {%- for column in columns -%}
        {{ column.name }} {{ column.data_type }} comment '{{ column.description | replace("'", "\\'") }}'
        {{- ', ' if not loop.last }}
    {% endfor -%}
{%- endmacro %}

{# Adds the columns that only the YAML has; the names in the table's order. #}
{% macro _add_new_columns(relation, columns) -%}
    {%- call statement('columns', fetch_result=True) -%} show columns in {{ relation }} {%- endcall -%}
    {%- set names = load_result('columns').table.columns[0].values() | list -%}
    {%- set new = columns | rejectattr('name', 'in', names) | list -%}
    {%- if new -%}
        {%- call statement('add') -%} alter table {{ relation }} add columns ({{ _definitions(new) }}) {%- endcall -%}
    {%- endif -%}
    {{ return(names + (new | map(attribute='name') | list)) }}
{%- endmacro %}
