"""What the checkout shows to others: `python -m rednet_lab.publish` (the top room: nothing imports it but notebook 90).

evidence   a run's small results, copied to figures/evidence; snapshots makes its executed notebooks small
pages      README's made parts, figures/README.md, figures/ledger/*.md
ledger     what the papers say, what belongs to it here, and the words
picture    README's picture of the method at work
site       the site, built by Sphinx
colab      the cell in every notebook that fetches the course on Colab
"""
