"""Data preparation: the embedded face world, one reader per real data set, and the prepared store.

Flow: a *reader* gives annotated pictures one by one (`data_prep.item.Item`), `data_prep.prepare` cuts and
resizes them, and a *store* (`data_prep.store.Store`) keeps the result on disk, memory-mapped. This package
does not know networks, notebooks or widgets.
"""
