"""Can a model learn a few graphs by heart? A test that takes a minute and finds what is broken."""
