"""A scripted server that speaks three wire protocols, and a model without any."""
