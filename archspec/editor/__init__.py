"""What an editor asks about a spec while it is written: problems, names and their places, types, completions, fixes."""
