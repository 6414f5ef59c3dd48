{#
    The versions of each fact, with the stretch of time in which each was the newest one known:
    at an instant T it is, when known_at < T and T <= valid_until. A version older than `days` no
    longer counts, so a state is the same whichever interval it is built with.
#}
{% macro versions(model, key, days) -%}
    select
        *,
        least(
            lead(known_at) over (partition by {{ key }} order by known_at),
            known_at + interval {{ days }} days
        ) as valid_until
    from {{ ref(model) }}
    where {{ known_by_end(days) }}
{%- endmacro %}

{# One row a key and known_at: where a record came twice, the one landed last, then the lower line. #}
{% macro deduplicated(source, key) -%}
    select *
    from {{ source }}
    where {{ known_in_interval() }}
    qualify row_number() over (
        partition by {{ key }}, known_at order by ingested_at desc, source_file desc, source_line desc
    ) = 1
{%- endmacro %}

{# The newest snapshot of a dimension that was published, whichever interval is built. #}
{% macro newest_snapshot(source, key) -%}
    select *
    from {{ source }}
    where known_date = (select max(known_date) from {{ source }})
    qualify
        max(known_at) over () = known_at
        and row_number() over (
            partition by {{ key }}, known_at order by ingested_at desc, source_file desc, source_line desc
        ) = 1
{%- endmacro %}
