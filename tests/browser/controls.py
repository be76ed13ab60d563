"""The controls of a notebook's widgets as a person finds them: by their kind and label, moved with keys and mouse."""

from dataclasses import dataclass

# Kind, and how it is found in a cell's output. Whatever can take the focus and is found by none of these is an
# unknown control, which fails the test: a new kind of control needs a line here.
KINDS = {
    "slider": ".noUi-handle",
    "dropdown": ".widget-dropdown select",
    "list": ".widget-select select, .widget-select-multiple select",
    "choice": ".widget-toggle-buttons",
    "radio": ".widget-radio",
    "tick": ".widget-checkbox input[type=checkbox]",
    "switch": ".widget-toggle-button:not(.widget-toggle-buttons *)",
    "play": ".widget-play",
    "number": ".widget-text input[type=number]",
    "text": ".widget-text input[type=text], .widget-textarea textarea",
    "upload": ".widget-upload",
    "button": ".widget-button:not(.widget-toggle-buttons *, .widget-toggle-button, .widget-play *, .widget-upload)",
}
PARTED = {"choice": "button", "radio": "input[type=radio]"}  # controls made of several, and of which
FOCUS = "input, select, textarea, button, [role=slider], [contenteditable=true], [tabindex]"
# What belongs to a control, and what JupyterLab itself makes focusable.
PARTS = ".widget-upload input, .widget-readout, .noUi-handle, .jp-OutputArea-output, .jp-Cell-outputWrapper"

LABEL = r"""(element) => {
    const line = element.closest(".widget-inline-hbox, .widget-inline-vbox") ?? element;
    for (const box of [element, line]) {
        const labels = [...box.querySelectorAll(".widget-label, .widget-label-basic")].map((e) => e.textContent);
        const said = labels.map((text) => text.replaceAll("\u200b", "").trim()).find(Boolean);
        if (said) return said;
    }
    const text = element.textContent.replace(/ \(\d+\)$/, "").trim(); // an upload counts its files
    return element.getAttribute("aria-label") || text || element.title;
}"""

UNKNOWN = """(root, {kinds, focus, parts}) => [...root.querySelectorAll(focus)]
    .filter((e) => course.shown(e) && e.tabIndex >= 0 && !e.matches(parts) && !e.closest(kinds))
    .filter((e) => e.closest(".jupyter-widgets"))
    .map((e) => e.outerHTML.slice(0, 200))"""


@dataclass
class Control:
    """One control of a cell's output; `handle` is what is focused or clicked."""

    kind: str
    label: str
    handle: object
    page: object
    started: str = ""  # where a watched slider stood

    def __str__(self) -> str:
        return f"{self.kind} '{self.label}'"

    @property
    def disabled(self) -> bool:
        return self.handle.evaluate(
            "e => e.disabled === true || !!e.closest('[disabled], [aria-disabled=true], .mod-disabled')"
        )

    def value(self):
        """What the control says of itself: a slider's readout, the chosen option, ticked or not."""
        if self.kind == "slider":
            return self.handle.get_attribute("aria-valuetext") or self.handle.get_attribute("aria-valuenow")
        if self.kind in ("dropdown", "list", "number", "text"):
            return self.handle.input_value()
        if self.kind == "tick":
            return self.handle.is_checked()
        if self.kind == "switch":
            return "mod-active" in self.handle.get_attribute("class")
        if self.kind in PARTED:
            return [part.evaluate("e => e.checked || e.matches('.mod-active')") for part in self._parts()].index(True)
        return None

    def _parts(self) -> list:
        return self.handle.query_selector_all(PARTED[self.kind])

    def press(self, key: str, times: int = 1) -> None:
        """Press a key on the control."""
        self.handle.focus()
        for _ in range(times):
            self.page.keyboard.press(key)

    def places(self) -> list:
        """Values other than the present one that `put` can go to; the first and the last of many."""
        if self.kind in ("tick", "switch"):
            return [not self.value()]
        if self.kind in ("dropdown", "list"):
            options = self.handle.evaluate("e => [...e.options].map((o) => o.value)")
        elif self.kind in PARTED:
            options = list(range(len(self._parts())))
        else:
            return []
        others = [option for option in options if option != self.value()]
        return others if len(others) < 4 else [others[0], others[len(others) // 2], others[-1]]

    def put(self, value) -> None:
        """Choose an option, set or clear a tick."""
        if self.kind in ("dropdown", "list"):
            self.handle.select_option(value)
        elif self.kind in PARTED:
            self._parts()[value].click()
        elif self.value() != value:
            self.handle.click()
        assert self.value() == value, f"{self} shows {self.value()} where {value} was chosen"

    def type(self, text: str) -> None:
        """Type a value into a slider's readout or a field, and press Enter."""
        field = self.handle
        if self.kind == "slider":
            field = field.evaluate_handle("e => e.closest('.jupyter-widgets').querySelector('.widget-readout')")
            field = field.as_element()
        field.click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def watch(self) -> None:
        """Note from now on, in the page, every value that a slider passes."""
        self.started = self.value()
        self.handle.evaluate(
            """e => {
                e.passed = new Set([e.getAttribute("aria-valuenow")]);
                const note = () => e.passed.add(e.getAttribute("aria-valuenow"));
                new MutationObserver(note).observe(e, {attributes: true, attributeFilter: ["aria-valuenow"]});
            }"""
        )

    def seen(self) -> int:
        """How many values a watched slider has had."""
        return self.handle.evaluate("e => e.passed.size")

    def positions(self) -> int:
        """How many values a slider of whole numbers has."""
        low, high = (float(self.handle.get_attribute(f"aria-value{end}")) for end in ("min", "max"))
        return round(high - low) + 1

    def readout(self) -> str | None:
        """The number written beside a slider, where one is."""
        return self.handle.evaluate(
            """e => { const r = e.closest(".jupyter-widgets").querySelector(".widget-readout");
                      return r && r.isContentEditable && course.shown(r) ? r.textContent : null; }"""
        )


def controls_of(page, root) -> list[Control]:
    """The visible controls in an element, in the page's order."""
    found = []
    for kind, selector in KINDS.items():
        for handle in root.query_selector_all(selector):
            if handle.evaluate("e => course.shown(e)"):
                found.append(Control(kind, handle.evaluate(LABEL) or kind, handle, page))
    order = "(root, all) => all.map((e) => [...root.querySelectorAll('*')].indexOf(e))"
    places = root.evaluate(order, [control.handle for control in found])
    return [control for _, control in sorted(zip(places, found, strict=True), key=lambda pair: pair[0])]


def unknown_controls(root) -> list[str]:
    """What in an element can be operated though no kind of control is known for it."""
    return root.evaluate(UNKNOWN, {"kinds": ", ".join(KINDS.values()), "focus": FOCUS, "parts": PARTS})
