"""A JupyterLab of the tests' own: on this machine only, with its own settings, and gone when they end."""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat

START_SECONDS = 90
# jsonschema would compile a grammar for two seconds, for a format that no notebook has.
START = "import sys; sys.modules['rfc3987_syntax'] = None; from jupyterlab.labapp import main; sys.exit(main())"
SETTINGS = {  # no question about news, no look for a newer version; widgets are saved with the notebook
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}


def write(folder, name, sources):
    """Write a notebook of these code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip()) for source in sources])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / f"{name}.ipynb")


class JupyterLab:
    """A running server; `address` and `token` are the way in, `log` is the file of what it and its kernels said.

    Notebooks lie in `folder`, which is the server's root; settings, workspaces and connection files in `home`.
    `variables` are added to the kernels' environment.
    """

    def __init__(self, folder: Path, home: Path, variables: dict[str, str]):
        self.folder, self.token, self.log = folder, secrets.token_hex(16), home / "server.log"
        self.heard = 0  # characters of the log
        places = {
            "JUPYTER_CONFIG_DIR": home / "config",
            "JUPYTER_DATA_DIR": home / "data",
            "JUPYTER_RUNTIME_DIR": home / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": home / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
            "IPYTHONDIR": home / "ipython",
        }
        for place in (folder, *places.values()):
            place.mkdir(parents=True, exist_ok=True)
        for plugin, values in SETTINGS.items():
            file = places["JUPYTERLAB_SETTINGS_DIR"] / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values), encoding="utf-8")
        # The reader's own Jupyter settings and the course's variables are not what is tested.
        own = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "REDNET_", "PYTHON"))}
        environment = own | {name: str(place) for name, place in places.items()} | variables
        command = [sys.executable, "-c", START, "--no-browser", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
        command += [f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={self.token}", "--allow-root"]
        command += ["--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self.address = self._wait(places["JUPYTER_RUNTIME_DIR"])
        except BaseException:
            self.stop()
            raise

    def _wait(self, runtime: Path) -> str:
        """The server's address, once it answers. Raises RuntimeError with the end of its log."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            for file in runtime.glob("jpserver-*.json"):
                try:
                    address = f"http://127.0.0.1:{json.loads(file.read_text(encoding='utf-8'))['port']}"
                    with urllib.request.urlopen(f"{address}/api?token={self.token}", timeout=5):
                        return address
                except (OSError, ValueError, urllib.error.URLError):
                    pass  # written in part, or not listening yet
            time.sleep(0.05)
        raise RuntimeError(f"JupyterLab did not start:\n{self.said()[-3000:]}")

    def said(self) -> str:
        """What the server and its kernels have written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def news(self) -> str:
        """What they have written since the last call."""
        said = self.said()
        self.heard, start = len(said), self.heard
        return said[start:]

    def stop(self) -> None:
        """End the server; it ends its kernels."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
