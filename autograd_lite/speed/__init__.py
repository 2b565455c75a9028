"""What exists for time alone, each with what it gains."""
