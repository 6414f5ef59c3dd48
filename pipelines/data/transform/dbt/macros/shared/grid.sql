{#
    States at the grid instants of the interval, (start, end], every `step_minutes` of the model
    from midnight UTC. What a state is made of is given as *stretches*: something holds at the
    instants T with from_at < T and T <= to_at. "Known by T" is from_at = known_at.
#}

{% macro _step_minutes() -%}
    {{ return((config.get('meta') or {}).get('step_minutes', 1440)) }}
{%- endmacro %}

{% macro _step() -%} interval {{ _step_minutes() }} minutes {%- endmacro %}

{# The first instant after `at`; those before the interval all fall on its first one. #}
{% macro _instant_after(at) -%}
    {%- set micros = _step_minutes() * 60 * 1000000 -%}
    timestamp_micros((greatest(unix_micros({{ at }}), {{ _micros(interval_start()) }}) div {{ micros }} + 1) * {{ micros }})
{%- endmacro %}

{% macro _micros(at) -%} {{ (at.timestamp() | int) * 1000000 }} {%- endmacro %}

{# Every stretch becomes one row at each of its instants, as `instant`: for stretches that are short. #}
{% macro at_instants(stretches) -%}
    select
        stretches.*,
        explode(sequence(enters_at, leaves_at - {{ _step() }}, {{ _step() }})) as instant
    from ({{ _entered(stretches) }}) as stretches
{%- endmacro %}

{% macro _entered(stretches) -%}
    select *
    from (
        select
            *,
            {{ _instant_after('from_at') }} as enters_at,
            {{ _instant_after('least(to_at, ' ~ instant(interval_end()) ~ ')') }} as leaves_at
        from {{ stretches }}
    )
    where enters_at < leaves_at
{%- endmacro %}

{#
    How many stretches of each measure hold at each instant (`num_<measure>`), and the sum of their
    whole-numbered values (`total_<measure>`): one row an entity and instant, as `known_at`, from
    its first stretch on. For stretches that are long: each only counts up where it begins and down
    where it ends, the sums run on in between, and they are exact.
#}
{% macro totals_at_instants(stretches, keys, measures) -%}
    {%- set by = keys | join(', ') -%}
    {%- set after_end -%} {{ _instant_after(instant(interval_end())) }} {%- endset -%}
    with

    entered as (
        {{ _entered(stretches) }}
    ),

    changes as (
        select
            {{ by }},
            change.at as instant,
            {% for measure in measures -%}
            sum(if(measure = '{{ measure }}', change.sign, 0)) as num_{{ measure }},
            sum(if(measure = '{{ measure }}', change.sign * value, 0)) as total_{{ measure }}
            {{- ',' if not loop.last }}
            {% endfor %}
        from entered
        lateral view inline(array(
            named_struct('change', named_struct('at', enters_at, 'sign', 1)),
            named_struct('change', named_struct('at', leaves_at, 'sign', -1))
        )) as change
        where change.at < {{ after_end }}
        group by {{ by }}, change.at
    ),

    running as (
        select
            {{ by }},
            instant,
            lead(instant, 1, {{ after_end }}) over so_far as next_instant,
            {% for measure in measures -%}
            sum(num_{{ measure }}) over so_far as num_{{ measure }},
            sum(total_{{ measure }}) over so_far as total_{{ measure }}
            {{- ',' if not loop.last }}
            {% endfor %}
        from changes
        window so_far as (partition by {{ by }} order by instant)
    )

    select
        *,
        explode(sequence(instant, next_instant - {{ _step() }}, {{ _step() }})) as known_at
    from running
{%- endmacro %}

{# The mean value of a measure; null where there is none. #}
{% macro mean(measure) -%}
    total_{{ measure }} / nullif(num_{{ measure }}, 0)
{%- endmacro %}

{# The partition of a state: its instant's date; midnight belongs to the day that it ends. #}
{% macro date_of_instant(instant) -%}
    to_date({{ instant }} - interval 1 microsecond)
{%- endmacro %}
