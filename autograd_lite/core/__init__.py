"""The engine: tensors, the graph that calls record, the rules' machinery, and the backward pass. Read it first."""
