"""The comparison of gradients derived by hand with the engine's; `autograd_lite.checks` has its public names."""
