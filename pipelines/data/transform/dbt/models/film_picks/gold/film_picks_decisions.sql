{{ config(meta={'instants': true}) }}

{#- At midnight everybody is asked about who rated within four weeks; and each person as they go on
    rating, since most come once: when they have rated so many films. #}
{%- set active_days = 28 %}
{%- set asked_after = [10, 20, 40, 80, 160] %}
{%- set seconds_after = 1 %}

with

ratings as (
    {{ versions('film_picks_ratings', key='user_id, film_id', days=209) }}
),

users as (
    {{ versions('film_picks_users', key='user_id', days=209) }}
),

sessions as (
    select
        user_id,
        known_at + interval {{ seconds_after }} seconds as decided_at,
        false as is_batch,
        count(*) over (
            partition by user_id order by known_at range between unbounded preceding and current row
        ) as num_rated,
        count(*) over (partition by user_id, known_at) as num_rated_at_once
    from ratings
),

-- Several films may be rated in one second: the number is passed then, not met.
asked as (
    select distinct user_id, decided_at, is_batch
    from sessions
    where exists(
        array({{ asked_after | join(', ') }}),
        number -> number <= num_rated and number > num_rated - num_rated_at_once
    )
),

last_rated as (
    select user_id, date_trunc('day', known_at) + interval 1 day as first_night
    from ratings
    group by all
),

nights as (
    select distinct
        user_id,
        explode(
            sequence(first_night, first_night + interval {{ active_days - 1 }} days, interval 1 day)
        ) as decided_at,
        true as is_batch
    from last_rated
),

decided as (
    select * from asked
    union all
    select * from nights
    where not exists (
        select 1 from asked
        where asked.user_id = nights.user_id and asked.decided_at = nights.decided_at
    )
),

final as (
    select
        user_id,
        decided_at as asked_at,
        decided_at as known_at,
        is_batch,
        users.age_years,
        users.gender,
        users.occupation,
        {{ date_of_instant('decided_at') }} as known_date
    from decided
    inner join users using (user_id)
    where
        users.known_at < decided_at
        and decided_at <= users.valid_until
        and decided_at > {{ instant(interval_start()) }}
        and decided_at <= {{ instant(interval_end()) }}
)

select * from final
