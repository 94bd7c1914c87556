"""A plain TFX pipeline on one flat CSV file: the opponent of the benchmarks."""
