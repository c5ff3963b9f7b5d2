"""What figures of several seeds say: paired differences, corrected p-values, seeds that would decide, effects."""
