"""Android phones: adb, preflight, benchmark_model, readings and held settings."""
