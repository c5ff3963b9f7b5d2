"""What notebooks call: `archspec.load`, `check`, `build`, `diff`, `equal`, `cost`, and objects that show themselves."""
