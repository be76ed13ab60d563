"""What stands around the method: notebook helpers, stamps, strict parameters and the runner."""
