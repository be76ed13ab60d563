"""Where things are: `mesh` (patches), `hair`, `accessories`, `baking` (which light reaches which point), `build`
(all of a picture in front of its camera), `raster` (triangles to pixels).
"""
