"""The loop live in a page of one's own browser: `python -m rednet_lab.track.demo`, and `demo/` of the site.

The page is demo.html with demo.js; beside it lie the network as ONNX, a clip of the face world, and ONNX Runtime for
browsers, which npm fetches once into the cache. A server is needed, for a browser loads no modules from a file.
"""

from __future__ import annotations

import argparse
import base64
import functools
import hashlib
import http.server
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import webbrowser
from pathlib import Path

import numpy as np
from PIL import Image

from data_prep.errors import DataError
from data_prep.readers.face_world import FaceWorldVideos
from rednet_core import geometry
from rednet_core.rednet import RedNet
from rednet_core.tracking import LEAST_BOX, Tracker
from rednet_lab.files import read_json, write_json, write_text, write_whole
from rednet_lab.names import ROOT
from rednet_lab.show import draw
from rednet_lab.stamp import module_hash
from rednet_lab.track import follow
from rednet_lab.track.exported import exported
from rednet_lab.workbench.cache import cache_root
from rednet_lab.workbench.shipped import WEIGHTS, open_weights

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")

READS = ("rednet_lab/track/demo.html", "rednet_lab/track/demo.js")
SIDE, FRAMES, CHECKED, ACROSS = 192, 24, 6, 5  # pixels and frames of the clip; frames compared with PyTorch's; a row
CLIP, OTHER = 2, 3  # of the face world's test videos


def runtime(archive: Path | None = None, fetch: bool = True) -> Path:
    """Return the folder of ONNX Runtime for browsers, fetched with npm into the cache if it is not there.

    Raise DataError, with the fix, where it cannot be had or is not what INTEGRITY says.
    """
    folder = cache_root() / f"{PACKAGE}-{VERSION}"
    if all((folder / name).is_file() for name in RUNTIME):
        return folder
    fix = f"install Node.js (its npm fetches it), or get the npm package {PACKAGE} {VERSION} elsewhere: --archive FILE"
    with tempfile.TemporaryDirectory() as place:
        if archive is None:
            npm = shutil.which("npm") if fetch else None
            if npm is None:
                raise DataError(f"{PACKAGE} {VERSION} is not in the cache", path=folder, field="runtime", fix=fix)
            print(f"Fetching {PACKAGE} {VERSION} with npm, once ...", flush=True)
            done = subprocess.run([npm, "pack", f"{PACKAGE}@{VERSION}"], cwd=place, capture_output=True, text=True)
            archive = next(Path(place).glob("*.tgz"), None)
            if done.returncode or archive is None:
                told = (done.stderr.strip().splitlines() or ["nothing"])[-1][:200]
                raise DataError(f"npm said: {told}", path=folder, field="runtime", fix=f"go online; or {fix}")
        content = archive.read_bytes()
        if "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode() != INTEGRITY:
            raise DataError("not the archive it should be", path=archive, field="runtime", fix="fetch it again")
        with tarfile.open(fileobj=io.BytesIO(content)) as packed:
            for name in RUNTIME:
                held = packed.extractfile(f"package/dist/{name}")
                write_whole(folder / name, lambda part, held=held: part.write_bytes(held.read()))
    return folder


def described(net: RedNet, clip: list[np.ndarray], boxes: list[np.ndarray]) -> dict:
    """Return what the page must know of a network and of the clip: frames, then one of another face; their boxes."""
    size, config, markup, tracker = net.config.input_size, net.config, net.markup, Tracker(net)
    tracker.start(boxes[0])
    check = [tracker.update(picture).points[0].round(5).tolist() for picture in clip[:CHECKED]]
    sample = {"file": "sample.webp", "side": SIDE, "across": ACROSS, "count": len(clip) - 1}
    return {
        "size": size, "map": config.map_size, "radius": config.map_radius, "steps": config.steps, "heat": config.heat,
        "seven": markup.seven, "groups": list(markup.groups.values()), "mean": net.mean_points().tolist(),
        "hidden": 0 if net.f_trn is None else config.hidden, "box_scale": geometry.BOX_SCALE, "least_box": LEAST_BOX,
        "slip": {"shift": follow.SHIFT, "found": follow.FOUND, "lost": follow.LOST, "every": follow.CHECK_EVERY},
        "colours": draw.LABELS.tolist(), "check": check,
        "sample": {**sample, "box": boxes[0].tolist(), "other": boxes[1].tolist()},
    }  # fmt: skip


def build(net: RedNet, to: Path, archive: Path | None = None, fetch: bool = True) -> Path:
    """Write the page of a network to a folder and return its index.html; what is there and up to date stays."""
    ready, graph = runtime(archive, fetch), exported(net)
    made = f"{graph.stem} {module_hash('rednet_lab.track.demo')}"
    if read_json(to / "network.json", {}).get("made") == made:
        return to / "index.html"
    print("Making the page (half a minute) ...", flush=True)
    videos = FaceWorldVideos(0, 0, 1, OTHER + 1, FRAMES, SIDE)
    items = [videos[CLIP * FRAMES + i] for i in range(FRAMES)] + [videos[OTHER * FRAMES]]
    boxes = [geometry.face_box(item.points, net.markup) for item in (items[0], items[-1])]
    (to / "runtime").mkdir(parents=True, exist_ok=True)
    for name in RUNTIME:
        shutil.copyfile(ready / name, to / "runtime" / name)
    shutil.copyfile(graph, to / "network.onnx")
    clip = [item.image for item in items]
    Image.fromarray(draw.montage(clip, ACROSS, gap=0)).save(to / "sample.webp", lossless=True)
    for kind, name in (("html", "index.html"), ("js", "demo.js")):
        shutil.copyfile(Path(__file__).with_suffix(f".{kind}"), to / name)
    write_json(to / "network.json", {"made": made, **described(net, clip, boxes)})
    return to / "index.html"


def add_to(site: Path) -> str:
    """Add the page as demo/ to a built site, with a link in front; return what became of it."""
    try:
        build(open_weights(), site / "demo", fetch=False)
    except DataError as error:
        return f"without the live network: {error} (python3 go.py demo fetches it)"
    front = site / "index.html"
    link = '<p><a href="demo/index.html">The loop, live in your browser</a> (through <code>--serve</code>)</p>'
    write_text(front, front.read_text(encoding="utf-8").replace("</h1>", f"</h1>\n{link}", 1))
    return "with the live network: demo/index.html"


class Pages(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, under the kinds that a browser asks of modules on every system; says nothing."""

    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript",
                      ".js": "text/javascript", ".wasm": "application/wasm"}  # fmt: skip

    def log_message(self, *_) -> None:
        pass


def server(folder: Path, port: int = 0) -> http.server.ThreadingHTTPServer:
    """Return a server of a folder that this machine alone can reach; port 0 is any that is free."""
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Pages, directory=str(folder)))


def serve(folder: Path, port: int = 0, browse: bool = False) -> None:
    """Serve a folder on this machine alone, until Ctrl-C; browse: open it in the browser."""
    with server(folder, port) as running:
        address = f"http://127.0.0.1:{running.server_address[1]}/"
        print(f"{address} (Ctrl-C ends it)", flush=True)
        if browse:
            webbrowser.open(address)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            print()


def main(words: list[str] | None = None) -> int:
    """Build the page, serve it and open the browser; return 2 where that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m rednet_lab.track.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="", metavar="NAME", help=f"{' or '.join(WEIGHTS)}, or a file of your own")
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "demo", metavar="FOLDER")
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument("--archive", type=Path, metavar="FILE", help=f"{PACKAGE}-{VERSION}.tgz, without npm")
    parser.add_argument("--fetch", action="store_true", help="only fetch what the page needs")
    parser.add_argument("--no-browser", action="store_true", help="only serve")
    given = parser.parse_args(words)
    try:
        if given.fetch:
            print(runtime(given.archive))
            return 0
        page = build(open_weights(given.weights), given.to, given.archive)
    except DataError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    serve(page.parent, given.port, not given.no_browser)
    return 0


if __name__ == "__main__":
    sys.exit(main())
