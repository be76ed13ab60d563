"""The ledger: every equation, hyper-parameter, table, figure and claim of both papers, and what became of it here.

entries/*.yaml hold what is written by hand: facts about the papers in our own words, and links to code, tests and
notebooks. No measured figure stands there: those are looked up in the results.json and verdicts.json files of runs
when the ledger is rendered (`render`), and a test fails where a link leads nowhere (`links`).
"""

from rednet_lab.publish.ledger.entries import KINDS, Entry, LedgerError, awaited, load
from rednet_lab.publish.ledger.verdicts import Part, overall, read_verdicts

__all__ = ["KINDS", "Entry", "LedgerError", "Part", "awaited", "load", "overall", "read_verdicts"]
