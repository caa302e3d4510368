"""Results for other people's tools (docs/interchange.md).

swebench  patches as SWE-bench predictions
release   Parquet files with a data card
atif      conversations as Harbor's trajectories
inspect   trials as Inspect's logs; needs the extra `inspect`
makers    who made a patch, in the names that these files have room for
turns     a conversation as both of the last two tell it
"""
