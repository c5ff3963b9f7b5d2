"""What an architecture costs, from its IR."""
