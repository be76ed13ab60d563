"""Data preparation: the embedded face world, one reader per real data set, and the prepared store.

Flow: a *reader* gives annotated pictures one by one (`data_prep.item.Item`), `data_prep.prepare` cuts and
resizes them, and a *store* (`data_prep.store.Store`) keeps the result on disk, memory-mapped. This package
does not know networks, notebooks or widgets.

`data_prep.datasets` lists the data sets that can be read; `python -m data_prep doctor FOLDER` tells what a folder
holds, and `python -m data_prep prepare FOLDER STORE` makes a store of it (`data_prep.cli`).
"""
