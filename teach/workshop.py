"""Before and during a workshop; `python3 go.py check`, `reset NN` and `kit FOLDER` call this. Nothing but Python is needed.

check        is this laptop ready? Plain words; exit code 0: yes, 1: not yet
reset NN     put notebook NN back as it was given; your own copy is kept in figures/runs/mine
kit FOLDER   fill a folder (a USB stick) with all that laptops without a network need
             [--python 3.12] [--platforms win_amd64 ...] [--requirements FILE]
"""

import argparse
import contextlib
import ctypes
import glob
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import go  # noqa: E402  the one entry point beside this folder

MEMORY, DISK = 3.0, 3.0  # GB: what the 60-minute path takes at most; what an environment without CUDA takes
AS_GIVEN = "notebooks_as_given.zip"  # in a kit, for a reset without git
FORWARD = (
    "import torch; from rednet_core.rednet import NetConfig, RedNet; net = RedNet(NetConfig(input_size=32, width=0.125));"
    " print(tuple(net.eval()(torch.rand(1, 3, 32, 32), net.first_guess(1)).maps[-1].shape))"
)
START = """A workshop without a network

1. Copy the folder "course" to your computer, and the folder "wheels" beside it.
2. In "course": python3 go.py setup      (Windows: py go.py setup). It installs from "wheels" alone.
3. python3 go.py check                   It says whether all is ready.
4. python3 go.py lab                     Open 00_tour.

Wheels here are for Python %s on %s.
"""


def memory():
    """Return the machine's memory in GB, or None where it cannot be told."""
    with contextlib.suppress(Exception):
        if not go.WINDOWS:
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
        kilobytes = ctypes.c_ulonglong()
        ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
        return kilobytes.value * 1024 / 1e9


def port_free(port=8888):
    """Tell whether JupyterLab's usual port can be had on this machine."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


def check(arguments=()):
    """Say point by point whether this laptop is ready; return 0 if it is."""
    ready = []

    def say(good, text, fix, needed=True):
        print("%s  %s%s" % ("ok   " if good else "WRONG" if needed else "note ", text, "" if good else ". " + fix))
        ready.append(good or not needed)

    try:
        say(True, "Python: %d.%d can run the course" % go.python_version(go.find_python()), "")
    except go.SetupError:
        say(False, "Python: %d.%d cannot run the course" % sys.version_info[:2], "Install Python 3.10 to 3.13, 64 bit")
    size = memory()
    if size:
        say(size >= MEMORY, "memory: %.1f GB" % size, "The course needs %g GB: close other programs" % MEMORY)
    installed, free = go.up_to_date(), shutil.disk_usage(go.ROOT).free / 1e9
    say(installed or free >= DISK, "disk: %.1f GB free" % free, "The packages need %g GB: make room" % DISK)
    say(port_free(), "port 8888", "Another program has it; JupyterLab takes the next one by itself", needed=False)
    say(installed, "packages of requirements.lock", "Run: python3 go.py setup (Windows: py go.py setup)")
    python = go.venv_python() if installed else sys.executable
    done = subprocess.run([python, "-c", FORWARD], cwd=go.ROOT, env=go.with_root_on_path(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)  # fmt: skip
    told = (done.stdout.strip() or "no answer").splitlines()[-1]
    say(done.returncode == 0, "a tiny network: %s" % told, "Run: python3 go.py setup, then this again")
    print("Ready." if all(ready) else "Not ready yet: see the lines that begin with WRONG.")
    return 0 if all(ready) else 1


def as_given(name):
    """Return a notebook's committed bytes: git's, else those of a kit, else None."""
    command = ["git", "-C", go.ROOT, "show", "HEAD:./notebooks/" + name]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.check_output(command, stderr=subprocess.DEVNULL)
    with contextlib.suppress(OSError, KeyError), zipfile.ZipFile(os.path.join(go.ROOT, AS_GIVEN)) as file:
        return file.read(name)


def reset(arguments):
    """Put one notebook back; keep the reader's own copy aside."""
    if len(arguments) != 1:
        raise go.SetupError("which notebook? For example: python3 go.py reset 34")
    found = glob.glob(os.path.join(go.ROOT, "notebooks", glob.escape(arguments[0]) + "*.ipynb"))
    if len(found) != 1:
        raise go.SetupError("%d notebooks begin with %r; give the number, such as 34" % (len(found), arguments[0]))
    name = os.path.basename(found[0])
    text = as_given(name)
    if text is None:
        raise go.SetupError("neither git nor %s is here: take %s from a fresh copy of the course" % (AS_GIVEN, name))
    aside = os.path.join(go.ROOT, "figures", "runs", "mine", time.strftime("%Y-%m-%d_%H%M%S_") + name)
    os.makedirs(os.path.dirname(aside), exist_ok=True)
    shutil.copy2(found[0], aside)
    with open(found[0] + ".new", "wb") as file:
        file.write(text)
    os.replace(found[0] + ".new", found[0])
    print("%s is as it was given. Your copy: %s\nIn JupyterLab: File > Reload Notebook from Disk." % (name, aside))
    return 0


def kit(arguments):
    """Write the course, the wheels and what was made already into a folder, and nowhere else."""
    parser = argparse.ArgumentParser(prog="go.py kit")
    parser.add_argument("folder")
    parser.add_argument("--python", default="%d.%d" % sys.version_info[:2], help="the laptops' Python")
    parser.add_argument(
        "--platforms", nargs="+", default=[], help="win_amd64, macosx_11_0_arm64, manylinux_2_28_x86_64"
    )
    parser.add_argument("--requirements", default=go.LOCK)
    args = parser.parse_args(arguments)
    course, wheels = os.path.join(args.folder, "course"), os.path.join(args.folder, "wheels")
    if os.path.exists(course):
        raise go.SetupError("%s is there already: give an empty folder" % course)
    os.makedirs(wheels, exist_ok=True)
    for platform in args.platforms or [""]:
        print("wheels for %s ..." % (platform or "this machine"), flush=True)
        download(platform, args, wheels)
    leave = shutil.ignore_patterns(".venv*", ".git", "__pycache__", "runs", "build", ".*_cache")
    inside = os.path.abspath(args.folder)
    shutil.copytree(go.ROOT, course, ignore=lambda place, names: set(leave(place, names)) | {
        name for name in names if os.path.abspath(os.path.join(place, name)) == inside})  # fmt: skip
    with zipfile.ZipFile(os.path.join(course, AS_GIVEN), "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(glob.glob(os.path.join(go.ROOT, "notebooks", "*.ipynb"))):
            file.writestr(os.path.basename(path), as_given(os.path.basename(path)) or open(path, "rb").read())
    with open(os.path.join(args.folder, "START.txt"), "w", encoding="utf-8") as file:
        file.write(START % (args.python, ", ".join(args.platforms) or sys.platform))
    made = "with" if os.path.isdir(os.path.join(course, ".cache")) else "WITHOUT (run the path once first)"
    print("%s: %.2f GB, %s faces and networks made before" % (args.folder, go.size_of(args.folder) / 1e9, made))
    return 0


def download(platform, args, wheels):
    """Fetch the wheels of one platform; of another than this machine's exactly what the list names for it."""
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "-q", "-d", wheels]
    with tempfile.TemporaryDirectory() as folder:
        listed = args.requirements
        if platform:
            system = "win32" if platform.startswith("win") else "darwin" if platform.startswith("mac") else "linux"
            names = {"sys_platform": system, "os_name": "nt" if system == "win32" else "posix",
                     "python_version": args.python, "python_full_version": args.python + ".0"}  # fmt: skip
            listed = os.path.join(folder, "list.txt")
            with open(args.requirements, encoding="utf-8") as file, open(listed, "w", encoding="utf-8") as to:
                to.writelines(line for line in file if wanted(line, names))
            command += ["--only-binary=:all:", "--no-deps", "--platform", platform, "--python-version", args.python]
            command += ["--platform", platform.replace("2_28", "2_17")] * ("2_28" in platform)
        if subprocess.call(command + ["-r", listed]):
            raise go.SetupError("pip could not fetch the wheels for %s" % (platform or "this machine"))


def wanted(line, names):
    """Tell whether a line of the lock counts where the environment's markers have these values."""
    from pip._vendor.packaging.markers import Marker

    condition = line.partition("#")[0].partition(";")[2].strip()
    return line.strip() and not line.startswith("#") and (not condition or Marker(condition).evaluate(names))


if __name__ == "__main__":
    try:
        sys.exit({"check": check, "reset": reset, "kit": kit}[sys.argv[1]](sys.argv[2:]))
    except go.SetupError as error:
        print("go.py: %s" % error, file=sys.stderr)
        sys.exit(3)
