{{ config(meta={'step_minutes': 1440}) }}

{#- As long as the source remembers a film. #}
{%- set days = 209 %}

with

films as (
    {{ versions('film_picks_films', key='film_id', days=days) }}
),

ratings as (
    {{ versions('film_picks_ratings', key='user_id, film_id', days=days) }}
),

counted as (
    select *, explode(array(7, 28, {{ days }})) as span
    from ratings
),

stretches as (
    select
        film_id,
        concat('rated_', span, 'd') as measure,
        known_at as from_at,
        least(valid_until, known_at + make_dt_interval(span)) as to_at,
        rating as value
    from counted
    union all
    select film_id, 'listed' as measure, known_at as from_at, valid_until as to_at, 0 as value
    from films
),

totals as (
    {{ totals_at_instants('stretches', ['film_id'], [
        'listed',
        'rated_7d',
        'rated_28d',
        'rated_209d',
    ]) }}
),

final as (
    select
        film_id,
        totals.known_at,
        films.title,
        films.release_year,
        films.genres,
        num_rated_7d as num_ratings_7d,
        num_rated_28d as num_ratings_28d,
        num_rated_209d as num_ratings_209d,
        {{ mean('rated_28d') }} as rating_mean_28d,
        {{ mean('rated_209d') }} as rating_mean_209d,
        {{ date_of_instant('totals.known_at') }} as known_date
    from totals
    inner join films using (film_id)
    where films.known_at < totals.known_at and totals.known_at <= films.valid_until
)

select * from final
