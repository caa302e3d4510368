"""Results for other people's tools: SWE-bench predictions, Parquet with a data card."""
