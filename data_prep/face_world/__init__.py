"""The embedded face world: a procedural 3-D head, photographed.

Every picture is a pure function of its `Factors`; `FaceWorld` draws factors from (seed, index) in the roles of
the papers' data sets: stills (AFLW, Helen, LFPW), pictures of known people (LFW) and videos (300-VW). Nothing is
loaded from disk and nothing here knows networks. Four rooms, and each imports from those before it only:

- `head`: the head at rest, how identities and expressions move it, and where the 68 points lie on it;
- `factors`: what is drawn, every number of a picture and its distribution, and the camera;
- `scene`: where things are, from the moved head with hair and glasses to the triangle in front at each pixel;
- `render`: what it looks like, from light and paint to the faults of a camera.

Below them `basics` (curves, random numbers, noise); above them `world` (data sets).
"""

from data_prep.face_world.factors.fields import FIELDS, OCCLUDERS, Factors, Occluder
from data_prep.face_world.factors.sampling import sample_factors
from data_prep.face_world.render.picture import Sample, render
from data_prep.face_world.world import FaceWorld

__all__ = ["FIELDS", "OCCLUDERS", "FaceWorld", "Factors", "Occluder", "Sample", "render", "sample_factors"]
