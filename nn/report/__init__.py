"""Models and trainings as tables and pictures."""
