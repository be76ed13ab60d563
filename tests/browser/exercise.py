"""Moves every control of a cell and compares what the cell shows before, after, and when the control is back."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.browser.controls import Control, controls_of, unknown_controls
from tests.browser.page import NotebookPage, Screen

FAR = 12  # presses of an arrow key within which what is shown must change, or else at the ends
TYPED = 400  # presses that bring any slider from one end to the other
PLAY_SECONDS = 20
MARGIN = 4  # pixels that ipywidgets puts around each widget


LATER = ("text", "upload", "button")  # moved after the others, in this order: they bring or need something new


@dataclass(frozen=True)
class Manner:
    """How the controls of one cell are to be treated, where it differs from the rule; all by the controls' labels.

    `still` names controls that change nothing on profile smoke, `keeps` those that bring back more or less than the
    first picture; each with the reason. `files` makes what an upload is given, in a folder, `texts` what is typed.
    `check` looks at the numbers, after the controls were moved.
    """

    still: Mapping[str, str] = field(default_factory=dict)
    keeps: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Callable[[Path], Path]] = field(default_factory=dict)
    texts: Mapping[str, Callable[[Path], str]] = field(default_factory=dict)
    check: Callable[["WidgetCell"], None] | None = None


class WidgetCell:
    """One interactive cell of a shown notebook: its controls by label, and its screen."""

    def __init__(self, page: NotebookPage, cell: int, manner: Manner = Manner()):
        self.page, self.cell, self.manner = page, cell, manner
        self.root = page.root(cell)
        self.controls = controls_of(page.page, self.root)

    def control(self, label: str, kind: str = "") -> Control:
        """The one control of a label (and kind)."""
        found = [c for c in self.controls if c.label == label and kind in ("", c.kind)]
        assert len(found) == 1, f"{len(found)} controls {label!r} among {', '.join(map(str, self.controls))}"
        return found[0]

    def screen(self) -> Screen:
        return self.page.screen(self.cell)

    def exercise(self) -> list[str]:
        """Move each control there and back; returns what was moved. Raises AssertionError, and keeps a picture then."""
        try:
            return self._exercise()
        except Exception:
            self.page.shot(self.cell, "failed")
            raise

    def _exercise(self) -> list[str]:
        assert not (unknown := unknown_controls(self.root)), f"controls of no known kind: {unknown}"
        first = now = self.screen()
        assert now.pictures or now.drawings or now.words, "nothing is shown"
        assert "empty" not in now.pictures, "a picture without pixels"
        wide = self.page.overflow(self.cell)
        assert wide <= MARGIN, f"{wide} px wider than the notebook"
        assert not (off := self.page.distorted(self.cell)), f"pictures out of proportion: {off}"
        painted = self.page.painted(self.cell)
        self.page.shot(self.cell, "0-first")
        moved: list[str] = []
        while coming := [control for control in self.controls if str(control) not in moved]:
            control = min(coming, key=lambda control: LATER.index(control.kind) + 1 if control.kind in LATER else 0)
            assert not control.disabled, f"{control} is disabled, and no other control enables it"
            move = getattr(self, f"_{control.kind}", self._options)
            moved.append(str(control))
            self.shot = f"{len(moved)}-{''.join(c if c.isalnum() else '_' for c in control.label)}"
            now = move(control, now)
            assert not (trouble := self.page.trouble()), "\n".join([f"after moving {control}:", *trouble])
            if control.kind in LATER:  # a file that was read may bring controls of its own
                self.controls = controls_of(self.page.page, self.root)
        if now == first:
            assert self.page.painted(self.cell) == painted, "everything is back and the browser paints something else"
        return moved

    def look(self, before: Screen) -> Screen:
        """The screen after a move, kept as an artefact where it is another and all moves are to be kept."""
        now = self.screen()
        if now != before and self.page.every_move:
            self.page.shot(self.cell, self.shot)
        return now

    def _changed(self, control: Control, screens: list[Screen], before: Screen) -> None:
        changed = any(screen != before for screen in screens)
        if control.label in self.manner.still:
            assert not changed, f"{control} is listed as still ({self.manner.still[control.label]}) and changes"
        else:
            assert changed, f"{control} was moved and what is shown stayed as it was: {before.words}"

    def _back(self, control: Control, before: Screen) -> Screen:
        now = self.screen()
        if control.label not in self.manner.keeps:
            assert now == before, f"{control} is back at {control.value()!r} and what is shown is not:\n{before}\n{now}"
        return now

    def _slider(self, control: Control, before: Screen) -> Screen:
        """By arrow keys until what is shown changes, and back; to both ends, and back again."""
        start = control.value()
        there, back = "ArrowRight", "ArrowLeft"
        control.press(there)
        if control.value() == start:  # it stands at its upper end
            there, back = back, there
            control.press(there)
        if control.value() == start:
            self._changed(control, [], before)
            return before
        presses, screens = 1, [self.look(before)]
        while screens[-1] == before and presses < FAR:
            control.press(there)
            presses += 1
            screens.append(self.look(before))
        for _ in range(presses):
            if control.value() != start:  # presses at an end did nothing
                control.press(back)
        self._back(control, before)
        for key in ("End", "Home"):
            control.press(key)
            if screens[-1] == before:
                screens.append(self.screen())
            else:
                self.page.settle()
        self._return(control, start)
        self._changed(control, screens, before)
        return self._back(control, before)

    def _return(self, control: Control, start: str) -> None:
        """Bring a slider back from its lower end: by typing the number, or by keys where that is not the same."""
        text = control.readout()
        if text is not None:
            control.type(start)
        for _ in range(TYPED):
            now = float(control.value())
            if abs(now - float(start)) < 1e-9:
                return
            control.press("ArrowRight" if now < float(start) else "ArrowLeft")
        raise AssertionError(f"{control} does not come back to {start}")

    def _options(self, control: Control, before: Screen) -> Screen:
        """One option after the other, and back to the one that was chosen."""
        start, screens = control.value(), []
        if not (places := control.places()):
            return before  # a list of one
        for place in places:
            control.put(place)
            screens.append(self.look(before))
            assert not (trouble := self.page.trouble()), "\n".join([f"{control} at {place!r}:", *trouble])
        control.put(start)
        self._changed(control, screens, before)
        return self._back(control, before)

    def _play(self, control: Control, before: Screen) -> Screen:
        """Play some frames and pause: the picture is that of the frame where the slider stands; stop goes back."""
        sliders = [each for each in self.controls if each.kind == "slider"]
        play, stop, *_ = control.handle.query_selector_all("button")
        for each in sliders:
            each.watch()
        play.click()
        slider, until = None, time.monotonic() + PLAY_SECONDS
        while time.monotonic() < until and (slider is None or slider.seen() < min(3, slider.positions())):
            self.page.page.wait_for_timeout(20)
            slider = next((each for each in sliders if each.seen() > 1), None)
        assert slider is not None and slider.seen() >= min(3, slider.positions()), f"{control} moved no slider"
        start = slider.started
        if play.evaluate("e => e.matches('.mod-active') || !!e.querySelector('.fa-pause')"):
            play.click()
        after, place = self.look(before), slider.value()
        self._changed(control, [after], before)
        for key in ("End", "Home"):
            slider.press(key)
        self._return(slider, place)
        assert self.screen() == after, f"played to {place}, {slider} shows something else than moved there by hand"
        stop.click()
        self._return(slider, start)
        return self._back(control, before)

    def _button(self, control: Control, before: Screen) -> Screen:
        """A click, which must change something; what undoes it, the notebook's own check knows."""
        control.handle.click()
        after = self.look(before)
        self._changed(control, [after], before)
        return after

    def _upload(self, control: Control, before: Screen) -> Screen:
        """Give it the file that the notebook's entry makes."""
        assert control.label in self.manner.files, f"{control} needs a file: give it one in tests/browser/manners.py"
        file = self.manner.files[control.label](self.page.shots)
        with self.page.page.expect_file_chooser() as chooser:
            control.handle.click()
        chooser.value.set_files(file)
        after = self.look(before)
        self._changed(control, [after], before)
        return after

    def _text(self, control: Control, before: Screen) -> Screen:
        """Type what the notebook's entry says, and the old text again."""
        assert control.label in self.manner.texts, f"{control} needs a text: give it one in tests/browser/manners.py"
        start = control.value()
        control.type(self.manner.texts[control.label](self.page.shots))
        after = self.look(before)
        control.type(start)
        self._changed(control, [after], before)
        return self._back(control, before)

    def _number(self, control: Control, before: Screen) -> Screen:
        """One step up or down, and back."""
        start = control.value()
        control.press("ArrowUp")
        if control.value() == start:
            control.press("ArrowDown")
        after = self.look(before)
        control.type(start)
        self._changed(control, [after], before)
        return self._back(control, before)
