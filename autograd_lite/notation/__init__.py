"""Rules written as mathematics: from Python expressions to MathML, and from MathML to a line of text."""
