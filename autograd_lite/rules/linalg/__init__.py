"""Rules of linear algebra: products, solutions, norms and decompositions."""
