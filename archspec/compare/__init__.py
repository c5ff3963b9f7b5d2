"""What differs between two architectures."""
