{{ config(meta={'instants': true}) }}

{#- As long as the source remembers anybody. #}
{%- set days = 209 %}
{%- set films_max = 200 %}

with

ratings as (
    {{ versions('film_picks_ratings', key='user_id, film_id', days=days) }}
),

-- A state at each instant at which something about the person became known.
instants as (
    select distinct user_id, known_at
    from ratings
    where {{ known_in_interval() }}
),

-- All of a person in one sorted array, so that no rating meets every instant in a join.
histories as (
    select user_id, sort_array(collect_list(struct(known_at, film_id, rating, valid_until))) as rated
    from ratings
    group by user_id
),

known as (
    select
        user_id,
        instants.known_at,
        slice(filtered, greatest(size(filtered) - {{ films_max }} + 1, 1), {{ films_max }}) as rated,
        size(filtered) as num_films_rated
    from (
        select
            user_id,
            instants.known_at,
            filter(
                rated,
                each -> each.known_at <= instants.known_at and instants.known_at < each.valid_until
            ) as filtered
        from instants
        inner join histories using (user_id)
    ) as instants
),

final as (
    select
        user_id,
        known_at,
        transform(rated, each -> each.film_id) as films_rated,
        transform(rated, each -> double(each.rating)) as ratings_given,
        bigint(num_films_rated) as num_films_rated,
        element_at(rated, -1).known_at as last_rated_at,
        aggregate(rated, 0, (sum, each) -> sum + each.rating) / size(rated) as rating_mean_last_200,
        to_date(known_at) as known_date
    from known
)

select * from final
