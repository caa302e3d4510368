"""Results for other people's tools (docs/interchange.md).

swebench  patches as SWE-bench predictions
release   Parquet files with a data card
atif      conversations as Harbor's trajectories
inspect   trials as Inspect's logs; needs the extra `inspect`
turns     a conversation as both of the last two tell it
"""
