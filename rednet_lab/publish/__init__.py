"""What the checkout shows to others: `python -m rednet_lab.publish` (the top room: nothing imports it but notebook 90).

evidence   a run's small results and snapshots of its notebooks, copied to figures/evidence
pages      README's made parts, figures/README.md, figures/ledger/*.md
ledger     what the papers say, what belongs to it here, and the words
site       the site, built by Sphinx
cells      what every notebook has: its place in the series, and what fetches the course on Colab
"""
