with

users as (
    {{ deduplicated(source('bronze', 'film_picks_users'), key='user_id') }}
),

final as (
    select
        user_id,
        age_years,
        gender,
        occupation,
        event_at,
        known_at,
        ingested_at,
        known_date
    from users
)

select * from final
