with

ratings as (
    {{ deduplicated(source('bronze', 'film_picks_ratings'), key='user_id, film_id') }}
),

final as (
    select
        user_id,
        film_id,
        rating,
        event_at,
        known_at,
        ingested_at,
        known_date
    from ratings
)

select * from final
