"""Instruments for the notebooks: each a small module with one function that makes a widget, and one for a figure.

What is shown live and what is printed come from the same function, so they have the same numbers. An instrument
computes once, keeps what it computed, and paints arrays: a move of a slider answers in well under 100 ms.
"""
