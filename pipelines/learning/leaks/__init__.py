"""What a model may know too early: tables built anew, and inputs asked alone."""
