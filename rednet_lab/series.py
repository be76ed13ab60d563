"""The series of notebooks: their order, titles and what each needs from the others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One notebook: `name` is its file without .ipynb, `needs` the names of those that must run before it.

    What it needs of them comes from the cache, which has keys of its own, unless it `reads` the files that they left.
    `minutes` is how long it takes on profile quick on a two-core laptop, told to readers before their first run;
    0 means not measured. From then on the runner goes by the reader's own machine.
    """

    name: str
    title: str
    needs: tuple[str, ...] = ()
    minutes: float = 0.0
    reads: bool = False
    after: tuple[str, ...] = ()  # like needs where they run too: what they train is drawn beside what ships

    @property
    def number(self) -> str:
        """Return the number in front of the name."""
        return self.name.split("_", 1)[0]


COURSE = (
    Entry("00_tour", "The tour: a tracked face in two minutes", minutes=1.2),
    Entry("10_face_world", "The face world", minutes=0.3),
    Entry("12_data_preparation", "Data preparation", minutes=0.9),
    Entry("14_formats", "Formats of the papers' data sets", minutes=0.2),
    Entry("16_table4", "Table 4: the data, and who is challenging", minutes=0.2),
    Entry("18_crops", "The crop convention", after=("50_stage1",), minutes=1.5),
    Entry("20_maps_and_losses", "Response maps and losses", minutes=0.2),
    Entry("30_vgg_encoder_decoder", "The VGG encoder-decoder", needs=("00_tour",), minutes=1.2),
    Entry("32_resnet_design", "The ResNet design", needs=("00_tour",), minutes=1.7),
    Entry("34_spatial_recurrence", "Spatial recurrence", after=("50_stage1",), minutes=2.8),
    Entry("36_two_feedbacks", "Two feedbacks", needs=("00_tour",), minutes=2.9),
    Entry("38_temporal_recurrence", "Temporal recurrence", after=("54_stage3",), minutes=2.5),
    Entry("42_identity_disentangling", "Identity disentangling", after=("52_stage2",), minutes=2),
    Entry("44_f_reg", "f_REG: from maps to coordinates", needs=("36_two_feedbacks",), minutes=1.5),
    Entry("46_two_papers", "Two papers compared", needs=("00_tour", "36_two_feedbacks"), minutes=0.4),
    Entry("48_whole_network", "The whole network, and its training loop", needs=("00_tour",), minutes=1.2),
    Entry("50_stage1", "Stage 1: still images", minutes=6.3),
    Entry("52_stage2", "Stage 2: identity", needs=("50_stage1",), minutes=3),
    Entry("54_stage3", "Stage 3: clips", needs=("52_stage2",), minutes=3.4),
    Entry("56_eccv_stages", "The ECCV network in three stages", needs=("36_two_feedbacks",), minutes=2.6),
    Entry("60_tracking", "Tracking a video", after=("54_stage3",), minutes=1.3),
    Entry("70_protocol", "What an ablation is here", needs=("12_data_preparation",), minutes=2.9),
    Entry("71_backbones", "VGG or ResNet (Table 5), batch norm", needs=("70_protocol",), minutes=3.5),
    Entry("72_recurrent_steps", "One step or two (Table 6), joint or detached", needs=("70_protocol",), minutes=2.3),
    Entry("73_cascade", "Recurrent or cascaded (Table 7)", needs=("71_backbones",), minutes=1.2),
    Entry("74_steps_by_yaw", "Step by step, by yaw (ECCV figures 6, 7)", needs=("70_protocol",), minutes=1.7),
    Entry("75_temporal", "Video: memory (Table 8), three stages, z0", needs=("76_identity",), minutes=4.1),
    Entry("76_identity", "The identity loss (figure 8)", needs=("71_backbones",), minutes=2.3),
    Entry("77_f_reg", "f_REG and the encoder's features", needs=("70_protocol",), minutes=2.5),
    Entry("78_comparison", "Comparison with other methods (Table 9)", needs=("54_stage3", "75_temporal"), minutes=4.4),
)
ABLATIONS = tuple(entry for entry in COURSE if "70" <= entry.number < "90")  # what the ledger is about
LEDGER = Entry("90_ledger", "The ledger: what was reproduced", tuple(e.name for e in ABLATIONS), 0.1, reads=True)
SERIES = (*COURSE, LEDGER)
PARTS = {  # the order to read in: the path, then the appendices
    "First look": "00 10 20",
    "The network": "30 34 48",
    "Training": "50 52 54",
    "Memory, identity, tracking": "38 42 60",
    "Experiments": "70 72 75 78 90",
    "Appendix: data": "12 14 16 18",
    "Appendix: the paper of 2016": "36 44 46 56 74 77",
    "Appendix: more experiments": "32 71 73 76",
}


def parts() -> dict[str, list[Entry]]:
    """Return the notebooks of each part, in the order to read them."""
    return {title: [e for n in numbers.split() for e in SERIES if e.number == n] for title, numbers in PARTS.items()}
