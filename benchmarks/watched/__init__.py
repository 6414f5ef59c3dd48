"""What the goal `drift` is made of: tables that are calm or changed, and how they are judged."""
