"""Runs as rows of a table: found, filtered, sorted, compared. Everything comes from their folders; no torch."""
