"""Tree to IR: names, expansion of definitions, domains and axes."""
