"""English expressions of time: `find` turns a text into `Piece`s, `memagent.memory.time` into the public `TimeSpan`.

words    vocabulary, numbers, fragments of patterns
spans    calendar arithmetic on naive local datetimes; the `Piece`
tense    whether a sentence looks back or ahead
dates    rules that name days, weeks, months, years
relative rules that count from now: last Friday, in two weeks, the end of the month
clock    rules that name an hour: at noon, half past six, 8:15
find     runs the rules and joins their pieces: Thursday + at 3, from A to B, since A, two days before A
"""
