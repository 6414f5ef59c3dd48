"""Which films will this person want to see next? Ten of them, best first.

Data: MovieLens 100k (GroupLens), 100,000 ratings of 943 people from September 1997 to April 1998,
for research and not to be passed on: it is read from an installed package, `film_picks.lock`.
"""

from pipelines.use_cases.spec.model import Gate, Model, Watch
from pipelines.use_cases.spec.use_case import Column, EntityState, Feed, UseCase

_KNOWN_AT = Column("known_at", "timestamp", "when the source published this row, UTC")
_USER = Column("user_id", "string", "who rated; of each playing of the source's months its own")
_FILM = Column("film_id", "string", "the film's number")

RATINGS = Feed(
    name="ratings",
    description="What people gave films, as they gave it",
    format="csv",
    columns=(
        _USER,
        _FILM,
        Column("rating", "int", "stars, 1 to 5"),
        Column("event_at", "timestamp", "when it was given, UTC"),
        _KNOWN_AT,
    ),
    key=("user_id", "film_id"),
)

FILMS = Feed(
    name="films",
    description="Films as they are listed: when somebody first rates them, and every Monday",
    format="csv",
    columns=(
        _FILM,
        Column("title", "string", "the film's title"),
        Column("release_year", "int", "when it came out", optional=True),
        Column("genres", "string", "one or more, separated by |"),
        Column("event_at", "timestamp", "when it was listed, UTC"),
        _KNOWN_AT,
    ),
    key=("film_id",),
)

USERS = Feed(
    name="users",
    description="People as they said who they are, with their first rating",
    format="csv",
    columns=(
        _USER,
        Column("age_years", "int", "as they said"),
        Column("gender", "string", "F or M, as the source has it"),
        Column("occupation", "string", "one of 21 words"),
        Column("event_at", "timestamp", "when they came, UTC"),
        _KNOWN_AT,
    ),
    key=("user_id",),
)

_MINUTES_A_DAY = 24 * 60

FILM_PICKS = UseCase(
    name="film_picks",
    description="Which ten films will this person want to see next?",
    feeds=(RATINGS, FILMS, USERS),
    silver=("ratings", "films", "users"),
    entity_states=(
        EntityState(
            name="user_states",
            keys=("user_id",),
            step_minutes=None,
            ttl_minutes=209 * _MINUTES_A_DAY,
        ),
        EntityState(
            name="candidates",
            keys=("film_id",),
            step_minutes=_MINUTES_A_DAY,
            ttl_minutes=2 * _MINUTES_A_DAY,
        ),
    ),
    gold=("decisions", "labels"),
    on_demand=True,
    history_days=180,
    # The source has 215 days and plays 210 of them again and again: who saw the same months twice
    # would know the future.
    history_days_max=209,
    models=(
        Model(
            name="next",
            task="ranking",
            family="two_stage",
            row_key=("user_id", "asked_at"),
            label="films_rated_next_7d",
            labels_come_later=True,
            tables=("silver.ratings", "gold.candidates"),
            item_names="gold.candidates.title",
            is_refreshed=True,
            look_back_days=180,
            validation_days=21,
            # A label is known a week after its decision, so a week of these has none.
            evaluation_days=28,
            cadence="weekly",
            num_processes=1,
            # Three weeks have about 800 decisions after which somebody rated something.
            gate=Gate(num_rows_min=300),
            # A night asks about the people of four weeks, and a list moves with each of its films.
            watch=Watch(window_days=7, num_rows_min=200, drifted_share_max=0.5, distance_max=0.5),
        ),
    ),
)
