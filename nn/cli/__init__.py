"""The command-line tool: tables in, model files out, predictions, figures and plots from them."""
