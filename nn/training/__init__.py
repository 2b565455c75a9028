"""Training: the loop, its callbacks, history and checkpoints."""
