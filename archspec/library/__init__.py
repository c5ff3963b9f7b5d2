"""The standard library: definitions in the language itself, read by `archspec.syntax.load.load_library`."""
