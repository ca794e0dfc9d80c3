"""One module per benchmark; `benchmarks/registry.py` lists them."""
