"""The page that shows a backward pass step by step."""
