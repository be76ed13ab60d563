"""The series of notebooks: their order, titles and what each needs from the others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One notebook: `name` is its file without .ipynb, `needs` the names of those that must run before it.

    `minutes` is how long it takes on profile quick on a two-core laptop, told to readers before their first run;
    0 means not measured. From then on the runner goes by the reader's own machine.
    """

    name: str
    title: str
    needs: tuple[str, ...] = ()
    minutes: float = 0.0

    @property
    def number(self) -> str:
        """Return the number in front of the name."""
        return self.name.split("_", 1)[0]


SERIES = (
    Entry("00_tour", "The tour: a tracked face in two minutes"),
    Entry("10_face_world", "The face world"),
    Entry("12_data_preparation", "Data preparation"),
    Entry("14_formats", "Formats of the papers' data sets"),
    Entry("16_table4", "Table 4: the data, and who is challenging"),
    Entry("18_crops", "The crop convention", needs=("50_stage1",)),
    Entry("20_maps_and_losses", "Response maps and losses"),
    Entry("30_vgg_encoder_decoder", "The VGG encoder-decoder", needs=("00_tour",)),
    Entry("32_resnet_design", "The ResNet design", needs=("00_tour",)),
    Entry("34_spatial_recurrence", "Spatial recurrence", needs=("50_stage1",)),
    Entry("36_two_feedbacks", "Two feedbacks", needs=("00_tour",)),
    Entry("38_temporal_recurrence", "Temporal recurrence", needs=("54_stage3",)),
    Entry("42_identity_disentangling", "Identity disentangling", needs=("52_stage2",)),
    Entry("44_f_reg", "f_REG: from maps to coordinates", needs=("36_two_feedbacks",)),
    Entry("46_two_papers", "Two papers compared", needs=("00_tour", "36_two_feedbacks")),
    Entry("50_stage1", "Stage 1: still images", needs=("12_data_preparation",)),
    Entry("52_stage2", "Stage 2: identity", needs=("50_stage1",)),
    Entry("54_stage3", "Stage 3: clips", needs=("52_stage2",)),
    Entry("60_tracking", "Tracking a video", needs=("54_stage3",)),
)
