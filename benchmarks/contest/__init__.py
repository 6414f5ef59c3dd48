"""What the goal `quality` is made of: the year as a table, who competes, how they are judged."""
