"""Plan to Python source of one nn.Module."""
