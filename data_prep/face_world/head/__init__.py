"""The head at rest and what moves it: `anatomy` (a grid that follows the features), `relief` (the sculpture), `ears`,
`body`, `regions`; `shapes` (identity), `expressions`; `flesh` holds all of it; `landmarks` are the 68 points on it.
"""
