"""Experiment trackers: sinks in a process of their own, fed from the records of a run's folder."""
