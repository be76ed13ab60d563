"""The embedded face world: a procedural 3-D head, photographed.

Every picture is a pure function of its `Factors`; `FaceWorld` draws factors from (seed, index) in the roles of
the papers' data sets: stills (AFLW, Helen, LFPW), pictures of known people (LFW) and videos (300-VW). Nothing is
loaded from disk and nothing here knows networks. Where to read, in the order in which a picture comes about:

- what is drawn: `factors` (every number of a picture), `world` (data sets), `sampling`, `people`, `dressing`
  (distributions), `video` (trajectories), `framing` (the face box in the frame);
- the head at rest: `curves`, `anatomy` (a grid that follows the features), `relief` (the sculpture), `ears`,
  `body`, `regions`; what moves it: `shapes` (identity), `expressions`; all of it together: `head`;
- where things are: `landmarks` (the 68 points), `surface`, `hair`, `accessories`, `pose` (camera), `mesh`, `scene`;
- what it looks like: `raster` (triangles to pixels), `baking` (shadows), `noise`, `paint_maps`, `skin`,
  `soft_parts`, `hair_paint`, `light`, `shade`, then `backgrounds`, `occluders`, `photo` (the camera's faults);
- `render` does all that for one picture; `sheet` and `python -m data_prep.face_world` show many.
"""

from data_prep.face_world.factors import Factors, Occluder
from data_prep.face_world.render import Sample, render
from data_prep.face_world.sampling import sample_factors
from data_prep.face_world.world import FaceWorld

__all__ = ["FaceWorld", "Factors", "Occluder", "Sample", "render", "sample_factors"]
