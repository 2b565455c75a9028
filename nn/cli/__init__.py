"""The command-line tool: makes model files from tables, and predictions, figures and plots from model files."""
