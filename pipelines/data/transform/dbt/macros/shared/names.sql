{#
    Models are written to `build.<layer>_<case>_<name>`; the layer is the folder of the model. Who
    builds for nobody's eyes but their own, as `millrace leaks` does, names another schema.
#}

{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ var('schema', target.schema) }}
{%- endmacro %}

{% macro generate_alias_name(custom_alias_name, node) -%}
    {{ node.fqn[-2] ~ '_' ~ node.name }}
{%- endmacro %}
