"""What the runs of a sweep come to: read from its folder alone, compared with a baseline, written in several forms."""
