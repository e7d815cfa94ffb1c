"""Exact arithmetic on what a person writes; `memagent.tools.calculator.evaluate` is the way in.

numbers     limits, exact powers and roots, how a result is written
words       number words and spoken operators to symbols
units       conversion factors, all exact
expression  tokens and the parser; nothing is ever given to Python to evaluate
phrases     whole sentences: splitting, percentages of, conversions
dates       days between, weeks after, weekdays, ages, clock times
"""
