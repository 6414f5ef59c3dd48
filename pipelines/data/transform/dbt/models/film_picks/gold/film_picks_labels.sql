{#- What counts as liked is what was rated within so many days, whatever the stars. #}
{%- set days = 7 %}

with

-- Those whose days are over in this interval.
decisions as (
    select user_id, asked_at, asked_at + interval {{ days }} days as known_at
    from {{ ref('film_picks_decisions') }}
    where
        known_date >= date_sub(date'{{ interval_start().strftime('%Y-%m-%d') }}', {{ days + 1 }})
        and asked_at + interval {{ days }} days >= {{ instant(interval_start()) }}
        and asked_at + interval {{ days }} days < {{ instant(interval_end()) }}
),

ratings as (
    select user_id, film_id, min(known_at) as rated_at
    from {{ ref('film_picks_ratings') }}
    where {{ known_by_end(days + 1) }}
    group by user_id, film_id
),

final as (
    select
        user_id,
        asked_at,
        decisions.known_at,
        sort_array(collect_set(film_id)) as films_rated_next_7d,
        to_date(decisions.known_at) as known_date
    from decisions
    inner join ratings using (user_id)
    where rated_at > asked_at and rated_at < decisions.known_at
    group by all
)

select * from final
