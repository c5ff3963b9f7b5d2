"""IR to better IR to plan, one rewrite per file."""
