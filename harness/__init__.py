"""SeamBench: architecture as a paired factor in agentic refactoring."""
