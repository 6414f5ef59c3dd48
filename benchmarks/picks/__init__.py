"""What the goal `film_picks` is made of: MovieLens 100k, its splits, who competes, the judge."""
