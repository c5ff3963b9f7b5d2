"""Training: an explicit loop, its settings turned into torch objects, the run folder, progress and results."""
