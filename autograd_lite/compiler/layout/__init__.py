"""Where the arrays of a program lie in memory."""
