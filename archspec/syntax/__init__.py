"""Text → tree; knows no domains, no axes."""
