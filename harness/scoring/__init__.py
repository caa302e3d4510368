"""From evidence to a score: pure functions, one module a factor, on the host."""
