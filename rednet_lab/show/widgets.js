// Comes with each placeholder; what it does once is enough for a page.
// A file that is larger than a message to the kernel may be would only cut the connection: it is refused, in words.
if (!window.rednetUploads) {
  window.rednetUploads = true;

  const refuse = (event, control, most) => {
    const file = event.target.files[0];
    control.parentElement.querySelectorAll(".rednet-refused").forEach((old) => old.remove());
    if (!file || file.size <= most) return;
    event.stopImmediatePropagation();
    const said = document.createElement("p");
    said.className = "rednet-refused";
    said.setAttribute("role", "alert");
    said.style.cssText = "margin: 2px; line-height: 1.35; font-weight: 600";
    said.textContent = `${file.name} has ${(file.size / 1e6).toFixed(0)} MB, and ${most / 1e6} MB are the most that can ` +
      "be sent to the kernel. Write its path into the field “file” instead, or take a shorter clip.";
    control.after(said);
  };

  // The control's file input stands nowhere in the page: it is met when the control's own click opens it.
  document.addEventListener("click", (event) => {
    const control = event.target.closest?.("[class*=rednet-most-]");
    if (!control) return;
    const most = Number(/rednet-most-(\d+)/.exec(control.className)[1]);
    const kind = HTMLInputElement.prototype, open = kind.click;
    kind.click = function () {
      kind.click = open;
      if (!this.rednetWatched) this.addEventListener("change", (change) => refuse(change, control, most), true);
      this.rednetWatched = true;
      open.call(this);
    };
    setTimeout(() => { kind.click = open; }, 0);
  }, true);

  // A picture's alt text stands hidden beside it, and is another after each move.
  const name = (image) => {
    const words = image.closest?.(".widget-box")?.querySelector(".rednet-alt");
    if (words && image.matches("img.widget-image")) image.alt = words.textContent.trim();
  };
  document.addEventListener("load", (event) => name(event.target), true);
  document.querySelectorAll("img.widget-image").forEach(name);
}
