"""What kept runs say: one run, several beside each other, what changed between two, and what was missed."""
