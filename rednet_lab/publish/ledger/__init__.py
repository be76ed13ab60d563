"""The ledger: every equation, hyper-parameter, table, figure and claim of both papers, and what became of it here.

entries/*.yaml hold what is written by hand: facts about the papers in our own words, and links to code, tests and
notebooks. No measured figure stands there: those are looked up in the results.json and intervals.json files of the
evidence when the ledger is written (`tables`), and a test fails where a link leads nowhere (`entries.problems`).
"""
