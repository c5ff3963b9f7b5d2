"""A page on runs: equations, diagram, curves, health, cost, environment, how to do it again; one file, no network."""
