"""Paired estimates: SCIENCE.md (c), one module a step, frame in and frame out.

    pairing      trials -> one difference a task: what the experiment is about
    clusters     numbers on the means of apps: t interval, sign flips, bootstrap, equivalence
    effects      differences -> one row an effect, with a sentence where a number would mislead
    parts        decomposition, and differences between differences
    cost         what a resolved task costs; ratios of tokens
    matched      McNemar's counts: description, never the primary test
    repeats      pass@k and pass^k
    families     Holm and Benjamini-Hochberg
    marginal     the secondary model: GEE, told in percentage points
    hypotheses   H1 to H7, one row each
    used         which trials a number was made of

Differences are in percentage points (pp), clusters are apps, and every seed is a parameter.
"""
