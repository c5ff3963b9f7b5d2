"""The typed language that the checker makes, passes rewrite and the emitter writes out."""
