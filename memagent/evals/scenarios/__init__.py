"""Scripted recall: scenario files, what their checks mean, and the runner that plays them in real processes."""
