"""What it looks like: `light`, `paint_maps`, `skin`, `paints` (all but skin), `shade`; then `backgrounds`, `occluders`,
`photo` (the faults of a camera); `picture` does all that for one set of factors.
"""
