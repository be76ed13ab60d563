"""The face world as data sets: stills, pictures of known people, and videos, each named by (seed, index)."""

from dataclasses import dataclass

from data_prep.face_world.basics import generator
from data_prep.face_world.factors.people import sample_person
from data_prep.face_world.factors.sampling import sample_factors
from data_prep.face_world.factors.video import frame_factors, plan
from data_prep.face_world.render.picture import Sample, render

_STILL, _PERSON, _PICTURE, _VIDEO, _ACTOR = range(5)  # streams of random numbers, one a role
_STILL_PEOPLE, _ACTORS = 2**40, 2**41  # first identity number of people of stills and of videos


@dataclass(frozen=True)
class FaceWorld:
    """A source of samples that depends on nothing but its fields and the index asked for.

    seed: another seed is another world. size: side of the pictures in pixels. occlusion: how often things are in
    the way (1 as drawn by default, 0 never). pose: how far heads of stills turn (1 as AFLW, 0 frontal).
    """

    seed: int = 0
    size: int = 128
    occlusion: float = 1.0
    pose: float = 1.0

    def still(self, index):
        """Return still number index, of a person seen in no other: the role of AFLW, Helen and LFPW."""
        rng = generator(self.seed, _STILL, _whole("index", index))
        identity = _STILL_PEOPLE + index
        return self._render(sample_factors(rng, identity=identity, occlusion=self.occlusion, pose=self.pose))

    def identity_still(self, identity, index):
        """Return picture number index of person number identity: the role of LFW. Only the person is shared."""
        person = sample_person(generator(self.seed, _PERSON, _whole("identity", identity)))
        rng = generator(self.seed, _PICTURE, identity, _whole("index", index))
        factors = sample_factors(rng, person, identity, occlusion=self.occlusion, pose=self.pose)
        return self._render(factors)

    def identity_of_video(self, video):
        """Return identity number of the person in a video: of every twelve videos, the last two show the
        same person.
        """
        group, place = divmod(_whole("video", video), 12)
        return _ACTORS + 11 * group + min(place, 10)

    def frame(self, video, t, difficulty="common"):
        """Return frame t (0, 1, ...) of a video: the same sample as video(...)[t]."""
        return self._render(frame_factors(self._plan(video, difficulty), _whole("t", t)))

    def video(self, video, n_frames, difficulty="common"):
        """Return a list of the first n_frames samples of a video, "common" or "challenging": the role of 300-VW."""
        return [self.frame(video, t, difficulty) for t in range(n_frames)]

    def _plan(self, video, difficulty):
        identity = self.identity_of_video(video)
        keys = (self.seed, _VIDEO, video), (self.seed, _ACTOR, identity - _ACTORS)
        return plan(*keys, identity, difficulty, self.occlusion)

    def _render(self, factors) -> Sample:
        return render(factors, self.size)


def _whole(name, value):
    """Return the value, if it is a whole number that can name something."""
    if value < 0 or value != int(value):
        raise ValueError(f"{name}: must be a whole number from 0 on, got {value!r}")
    return int(value)
