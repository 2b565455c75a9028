"""The page that plays a backward pass, step by step."""
