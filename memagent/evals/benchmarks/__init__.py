"""Public benchmarks of memory: loaders of their files, their official scores, and a runner over the store of chat."""
