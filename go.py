"""The one entry point of the RED-Net course: makes an environment by itself, then runs what you ask for.

    python3 go.py run           run the series of notebooks (profile quick) and show where the results are
    python3 go.py run --help    its options: profiles, data sources, seeds, single notebooks ...
    python3 go.py test          run the tests
    python3 go.py lab           open the notebooks in JupyterLab (on this machine only)
    python3 go.py track FILE    follow the faces of your own video, picture or camera
    python3 go.py demo          the network in a page of your browser, on your camera (npm fetches its runtime once)
    python3 go.py gpu-check     what this machine's GPU can train: speed, memory, agreement with the processor
    python3 go.py site          turn an executed run into pages that need no network (build/site)
    python3 go.py setup         only make the environment (.venv beside this file)
    python3 go.py check         is this laptop ready for a workshop? (also: reset NN, kit FOLDER; see teach/README.md)
    python3 go.py clean         say what could be removed; with --yes, remove it

On Windows say `py go.py run`. Nothing but Python 3.10-3.13 is needed; the first command installs what
requirements.lock names into .venv, by checksum (about 1.5 GB; 5.5 GB on Linux, where pip's torch brings CUDA), later
ones reuse it.
"""

import contextlib
import functools
import glob
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

SUPPORTED = [(3, 13), (3, 12), (3, 11), (3, 10)]
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
HASHES = os.path.join(ROOT, "requirements.hashes")
CACHE = os.path.join(ROOT, ".cache")
STAMP = os.path.join(VENV, "course-ready.json")  # written last: an environment without it is not finished
BEGUN = os.path.join(VENV, "course-begun")  # written first, and gone when it is finished
MADE = os.path.join(VENV, "course-made")  # written first and kept: tells our environment from a reader's own
WINDOWS = os.name == "nt"


class SetupError(Exception):
    """Something the reader has to mend; the text says how."""


def main(arguments):
    """Dispatch on the first argument and return the exit code."""
    commands = {
        "run": run,
        "test": test,
        "lab": lab,
        "site": site,
        "track": functools.partial(start, "rednet_lab.track"),
        "demo": functools.partial(start, "rednet_lab.track.demo"),
        "gpu-check": functools.partial(start, "rednet_lab.workbench.gpu_check"),
        "setup": setup_only,
        "clean": clean,
        **{name: functools.partial(workshop, name) for name in ("check", "reset", "kit")},
    }
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__.strip())
        return 0
    if arguments[0] not in commands:
        print("go.py: unknown command %r. Known: %s." % (arguments[0], ", ".join(commands)), file=sys.stderr)
        return 2
    try:
        return commands[arguments[0]](arguments[1:])
    except SetupError as error:
        print("\ngo.py: %s" % error, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("\ngo.py: stopped. The same command goes on from here.", file=sys.stderr)
        return 130


# ------------------------------------------------------------------------------------------- commands


def run(arguments):
    """Run the series of notebooks with rednet_lab.runner."""
    if {"-h", "--help"} & set(arguments):  # help needs nothing installed
        return subprocess.call([sys.executable, "-m", "rednet_lab.runner"] + arguments, env=with_root_on_path())
    if not up_to_date():  # and neither does being told, before an hour of installing, that a name is wrong
        check = [find_python(), "-m", "rednet_lab.runner", "--check"] + arguments
        code = subprocess.call(check, env=with_root_on_path())
        if code:
            return code
    ensure_environment()
    return become([venv_python(), "-m", "rednet_lab.runner"] + arguments)


def test(arguments):
    """Run pytest in the checkout: all tests, in up to four processes, or with the arguments that are given."""
    ensure_environment()
    os.chdir(ROOT)
    processes = min((os.cpu_count() or 1) + 1, 4)  # one more than cores: some wait, for browsers and for kernels
    everything = ["-n", str(processes), "--dist", "loadfile"]
    return become([venv_python(), "-m", "pytest"] + (arguments or everything))


def start(module, arguments):
    """Run a module of the course with the reader's own arguments."""
    ensure_environment()
    return become([venv_python(), "-m", module] + arguments)


def lab(arguments):
    """Open JupyterLab on the notebooks, reachable from this machine only."""
    ensure_environment()
    local = ["--ip=127.0.0.1", "--ServerApp.root_dir=" + ROOT, "--LabApp.default_url=/lab/tree/notebooks"]
    return become([venv_python(), "-m", "jupyterlab"] + arguments + local)


def site(arguments):
    """Make the static site of a run with rednet_lab.publish; Sphinx comes with the first one."""
    ensure_environment()
    if not succeeds([venv_python(), "-c", "import furo, myst_nb, sphinx"]):
        with open(os.path.join(ROOT, "pyproject.toml"), encoding="utf-8") as file:
            wanted = re.search(r"^docs = \[(.*?)^\]", file.read(), re.M | re.S).group(1)
        print("Installing the docs extra (Sphinx, 100 MB) ...", flush=True)
        failure = failure_of([venv_python(), "-m", "pip", "install", "--quiet"] + re.findall('"(.*?)"', wanted))
        if failure:
            raise SetupError("the docs extra could not be installed:\n%s" % failure)
    return become([venv_python(), "-m", "rednet_lab.publish", "site"] + arguments)


def workshop(name, arguments):
    """Look whether this machine is ready, put a notebook back, or fill a folder for laptops without a network."""
    return subprocess.call([sys.executable, os.path.join(ROOT, "teach", "workshop.py"), name] + arguments)


def setup_only(arguments):
    """Make the environment and say where it is."""
    if arguments:
        raise SetupError("setup takes no further words, got: %s" % " ".join(arguments))
    ensure_environment()
    print("The environment is ready: %s" % VENV)
    return 0


def clean(arguments):
    """List, or with --yes remove, what this checkout made outside git: the environment and the cache."""
    if set(arguments) - {"--yes"}:
        raise SetupError("clean knows only --yes, got: %s" % " ".join(arguments))
    if os.path.isdir(VENV) and not os.path.exists(MADE):
        print("%s was not made by go.py and stays." % VENV)
    found = [folder for folder in (VENV, CACHE) if os.path.isdir(folder) and (folder == CACHE or os.path.exists(MADE))]
    for folder in found:
        print("%s  %s (%.2f GB)" % ("removing" if arguments else "would remove", folder, size_of(folder) / 1e9))
        if arguments:
            shutil.rmtree(folder)
    if not found:
        print("Nothing to remove: neither %s nor %s exists." % (VENV, CACHE))
    elif not arguments:
        print("Say 'go.py clean --yes' to remove them. Results under figures/runs are never removed.")
    return 0


def become(command):
    """Replace this process by the command, so that signals and kills reach it; Windows can only wait for it."""
    sys.stdout.flush()
    # Torch's threads sleep while they wait: spinning, they take the machine from whatever else runs, and lose by it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if not WINDOWS:
        os.execv(command[0], command)
    child = subprocess.Popen(command)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            pass  # the child got the same Ctrl-C and is tidying up


# ---------------------------------------------------------------------------------------- environment


def ensure_environment():
    """Make or complete .venv unless its stamp says that it holds what the lock asks for."""
    if up_to_date():
        return
    with only_one_setup() as lock:
        if up_to_date():  # another go.py has just done it
            return
        started = time.time()
        if os.path.exists(BEGUN):
            print("An earlier set-up was cut short; starting it again.")
            remove_environment()
        if not venv_works():
            make_environment(find_python())
        gone = missing()
        if gone:
            print("Parts of the environment are gone (%s); installing all of it again." % ", ".join(gone[:5]))
        remove_file(STAMP)
        warn_about_machine()
        install(lock, ["--force-reinstall", "--no-deps"] if gone else [])
        link_checkout()
        with open(STAMP + ".new", "w", encoding="utf-8", newline="\n") as file:
            json.dump(dict(wanted(), installed=installed()), file, indent=1)
        os.replace(STAMP + ".new", STAMP)
        remove_file(BEGUN)
        print("Environment ready after %s." % clock(time.time() - started), flush=True)


def wanted():
    """Return what the stamp must say for the environment to be used as it is."""
    with open(LOCK, "rb") as file:
        text = file.read().replace(b"\r\n", b"\n")
    return {"lock": hashlib.sha256(text).hexdigest(), "layout": 2, "checkout": os.path.realpath(ROOT)}


def up_to_date():
    """Tell whether the stamp matches the lock and this checkout, and all that was installed is still there."""
    told = stamp()
    told.pop("installed", None)
    return told == wanted() and os.path.exists(venv_python()) and not missing()


def stamp():
    """Return what the stamp says, or {} where there is none."""
    try:
        with open(STAMP, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def installed():
    """Return the names of what lies in the environment's folder of packages."""
    return sorted(name for name in os.listdir(packages()) if name != "__pycache__")


def missing():
    """Return what the stamp says was installed and is there no longer."""
    folder = packages()
    there = set(os.listdir(folder)) if folder else set()
    return sorted(set(stamp().get("installed", [])) - there)


def packages():
    """Return the environment's folder of packages, or None."""
    places = [os.path.join(VENV, "Lib")] if WINDOWS else glob.glob(os.path.join(VENV, "lib", "python3.*"))
    found = [os.path.join(place, "site-packages") for place in places]
    return next((folder for folder in found if os.path.isdir(folder)), None)


def venv_python():
    """Return the path of the environment's Python."""
    return os.path.join(VENV, "Scripts", "python.exe") if WINDOWS else os.path.join(VENV, "bin", "python")


def venv_works():
    """Tell whether .venv has a supported Python with pip (it may be the reader's own, or an older one of ours)."""
    if not os.path.isdir(VENV):
        return False
    if python_version(venv_python()) in SUPPORTED and succeeds([venv_python(), "-m", "pip", "--version"]):
        return True
    if os.listdir(VENV):
        remove_environment()
    return False


def make_environment(python):
    """Create .venv with pip in it, by whichever of three ways this machine allows."""
    print("Making an environment in %s with Python %d.%d ..." % ((VENV,) + python_version(python)), flush=True)
    failures = []
    for way in (with_venv, with_virtualenv, with_outer_pip):
        begin_environment()
        failure = way(python)
        if not failure and succeeds([venv_python(), "-m", "pip", "--version"]):
            return
        failures.append("%s: %s" % (way.__doc__.split(" (")[0], (failure or "no pip in it").strip().splitlines()[-1]))
        remove_environment()
    version = "%d.%d" % python_version(python)
    raise SetupError(
        "no way to make a virtual environment with %s.\n  %s\n"
        "On Debian or Ubuntu: sudo apt install python3-venv (or python%s-venv), then try again.\n"
        "Elsewhere: install Python from its own site, or make one yourself: conda env create -f environment.yml"
        % (python, "\n  ".join(failures), version)
    )


def with_venv(python):
    """Python's own venv (Debian keeps the part that brings pip in a package of its own)."""
    if not succeeds([python, "-c", "import venv, ensurepip"]):
        return "ensurepip is not installed"
    return failure_of([python, "-m", "venv", VENV])


def with_virtualenv(python):
    """The virtualenv package (if this Python has it)."""
    return failure_of([python, "-m", "virtualenv", VENV])


def with_outer_pip(python):
    """An environment without pip (that the outer pip, 22.3 or newer, then installs pip into)."""
    return failure_of([python, "-m", "venv", "--without-pip", VENV]) or failure_of(
        [python, "-m", "pip", "--python", venv_python(), "install", "pip"]
    )


def begin_environment():
    """Make the folder with the mark that it is ours and unfinished."""
    os.makedirs(VENV, exist_ok=True)
    for path, text in ((BEGUN, "is setting this up; it is not finished"), (MADE, "made this environment")):
        with open(path, "w", encoding="utf-8") as file:
            file.write("go.py %s\n" % text)


def remove_environment():
    """Remove .venv if it is ours, or say what stands in the way. What somebody else made is never removed."""
    if not os.path.exists(MADE) and not os.path.exists(BEGUN):
        raise SetupError(
            "%s was not made by go.py and cannot be used as it is (it needs CPython 3.10 to 3.13 with pip, whole).\n"
            "Nothing of it was touched: move it away, or remove it yourself, and try again." % VENV
        )
    try:
        shutil.rmtree(VENV)
    except OSError as error:
        text = "cannot remove the unfinished %s (%s). Close what uses it and try again."
        raise SetupError(text % (VENV, error)) from error


def link_checkout():
    """Put this checkout on the environment's path, relative to it: no build, no network, and both can be moved."""
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    folder = subprocess.check_output([venv_python(), "-c", code], universal_newlines=True).strip()
    with open(os.path.join(folder, "rednet_course.pth"), "w", encoding="ascii", newline="\n") as file:
        file.write(os.path.relpath(ROOT, os.path.realpath(folder)) + "\n")


# --------------------------------------------------------------------------------------- installation


def install(lock, options=()):
    """Install the lock with the environment's pip, showing what it is at and how long it has taken."""
    with open(LOCK, encoding="utf-8") as file:
        total = sum(1 for line in file if line[:1].strip() and not line.startswith("#"))
    print("Installing the packages of requirements.lock (1.5 to 5.5 GB; minutes, the network decides).")
    log_path = os.path.join(VENV, "course-setup.log")
    remove_file(log_path)
    environment = dict(os.environ, PYTHONUNBUFFERED="1", PIP_PROGRESS_BAR="off", PYTHONIOENCODING="utf-8")
    environment["PIP_USER"] = "0"  # a user-wide "install for the user" makes no sense in an environment
    wheels = os.path.join(os.path.dirname(ROOT), "wheels")
    if os.path.isfile(os.path.join(os.path.dirname(ROOT), "START.txt")) and os.path.isdir(wheels):  # a workshop's kit
        environment.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=pathlib.Path(wheels).as_uri())
    state = {"line": "starting pip", "seen": 0, "hinted": False}
    for step in install_steps():
        command = [venv_python(), "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "--no-input"]
        pip_install(command + step + list(options), lock, environment, log_path, state, total)


def install_steps():
    """Return pip's arguments, step by step: no package is installed whose checksum requirements.hashes does not have.

    Where the reader has named another source than pip's own (PyTorch's address of CPU builds, say), torch is looked for
    there, too, by its version alone: its builds are many, with checksums of their own. All the rest is checked.
    """
    told = output_of([venv_python(), "-m", "pip", "config", "list"]) or ""
    if not re.search("extra-index-url|find-links", told):
        return [["--require-hashes", "-r", HASHES]]
    with open(HASHES, encoding="utf-8") as file:
        packages = re.split(r"\n(?=\S)", file.read())  # a package's checksums stand indented below it
    builds = re.compile("torch==|triton==|nvidia-|cuda-")
    rest = os.path.join(VENV, "course-hashes.txt")
    with open(rest, "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(package for package in packages if not builds.match(package)))
    torch = [package.split()[0] for package in packages if package.startswith("torch==")]
    return [["--require-hashes", "-r", rest], torch + ["-c", LOCK]]


def pip_install(command, lock, environment, log_path, state, total):
    """Run one pip; raise SetupError with its last words where it fails."""
    pip = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=environment,
        encoding="utf-8",
        errors="replace",
        pass_fds=() if WINDOWS else (lock.fileno(),),
    )  # fmt: skip; pip shares the lock: if this process is killed, nobody starts anew before pip is gone too
    reader = threading.Thread(target=follow, args=(pip.stdout, log_path, state), daemon=True)
    reader.start()
    try:
        show_progress(pip, state, total)
    finally:
        if pip.poll() is None:
            pip.terminate()
            pip.wait()
        reader.join(timeout=5)
    if pip.returncode:
        with open(log_path, encoding="utf-8") as file:
            said = file.readlines()
        if any("DO NOT MATCH THE HASHES" in line for line in said):
            raise SetupError(
                "a package is not the one that requirements.hashes has the checksum of, and was not installed:\n%s\n"
                "The whole log: %s" % ("".join(said[-8:]), log_path)
            )
        raise SetupError(
            "pip could not install the packages; its last words:\n%s\nThe whole log: %s\n"
            "If it is the network, the same command tries again and keeps what was downloaded."
            % ("".join(said[-15:]), log_path)
        )


def follow(stream, log_path, state):
    """Copy pip's output to the log and keep the line worth showing."""
    with open(log_path, "a", encoding="utf-8", newline="\n") as log:
        for line in stream:
            log.write(line)
            log.flush()
            words = line.split()
            if not words:
                continue
            if words[0] in ("Collecting", "Requirement"):
                state["seen"] += 1
            if words[0] in ("Collecting", "Downloading", "Using", "Installing", "Building", "Preparing"):
                brief = "Unpacking them all" if words[0] == "Installing" else line.strip().split("/")[-1]
                state["line"] = ("Downloading " + brief) if "/" in line and words[0] == "Downloading" else brief
            if words[0] == "Collecting" and words[1].startswith("nvidia-") and not has_nvidia() and not state["hinted"]:
                state["hinted"] = True
                print(
                    "\nHint: pip is fetching PyTorch's CUDA build (several GB), but no NVIDIA GPU was found. For the"
                    "\nsmall CPU build press Ctrl-C, set PIP_EXTRA_INDEX_URL to the CPU address shown on PyTorch's"
                    "\n'get started' page, and start again.",
                    flush=True,
                )


def show_progress(pip, state, total):
    """Show one live line on a terminal, or a line every ten seconds elsewhere, until pip ends."""
    started, spoken, live = time.time(), 0.0, sys.stdout.isatty()
    while pip.poll() is None:
        elapsed = time.time() - started
        text = "  %s  %d of about %d packages  %s" % (
            clock(elapsed),
            min(state["seen"], total),
            total,
            state["line"],
        )
        if live:
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write("\r" + text[:width].ljust(width))
        elif elapsed - spoken >= 10:
            spoken = elapsed
            print(text)
        sys.stdout.flush()
        time.sleep(0.2)
    if live:
        sys.stdout.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")


def warn_about_machine():
    """Say beforehand what would make the installation fail late."""
    free = shutil.disk_usage(ROOT).free
    if free < (8e9 if sys.platform.startswith("linux") else 3e9):
        print("Warning: only %.1f GB free on this disk; the environment takes 1.5 GB, or 5.5 on Linux." % (free / 1e9))
    if sys.platform == "darwin" and os.uname().machine == "x86_64":
        print("Warning: PyTorch no longer makes builds for Intel Macs; the installation will probably fail.")


def has_nvidia():
    """Tell whether this machine seems to have an NVIDIA GPU with its driver."""
    return bool(shutil.which("nvidia-smi") or os.path.exists("/proc/driver/nvidia/version"))


# ------------------------------------------------------------------------------------------- helpers


def find_python():
    """Return a supported Python: this one, else the newest on the PATH, else an error that says what to install."""
    here = sys.executable
    if sys.prefix != sys.base_prefix:  # an environment of an environment breaks when the inner one goes
        here = getattr(sys, "_base_executable", here) or here
    if python_version(here) in SUPPORTED:
        return here
    for version in SUPPORTED:
        name = "%d.%d" % version
        candidates = [["py", "-" + name]] if WINDOWS else []
        for command in candidates + [["python" + name]]:
            if shutil.which(command[0]) and python_version(*command) == version:
                return output_of(command + ["-c", "import sys; print(sys.executable)"]).strip()
    raise SetupError(
        "this is Python %d.%d (%s), and the course needs CPython 3.10 to 3.13, 64 bit; none was found on the PATH.\n"
        "Install one (Debian, Ubuntu: sudo apt install python3 python3-venv; Windows, macOS: from Python's own site)"
        " and try again." % (sys.version_info[0], sys.version_info[1], sys.executable)
    )


def python_version(*command):
    """Return (major, minor) of a 64-bit CPython, or None if the command is not one that works."""
    code = "import sys, platform as p; print(*sys.version_info[:2], p.python_implementation(), sys.maxsize > 2**32)"
    words = (output_of(list(command) + ["-c", code]) or "").split()
    return (int(words[0]), int(words[1])) if words[2:] == ["CPython", "True"] else None


def output_of(command):
    """Return a command's standard output, or None if it fails or is not there."""
    try:
        return subprocess.check_output(command, stderr=subprocess.DEVNULL, universal_newlines=True)
    except (OSError, subprocess.CalledProcessError):
        return None


def succeeds(command):
    """Tell whether a command exits with 0."""
    return output_of(command) is not None


def failure_of(command):
    """Run a command; return None if it succeeds, else what it said."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    except OSError as error:
        return str(error)
    return None if done.returncode == 0 else (done.stdout or "exit code %d" % done.returncode)


@contextlib.contextmanager
def only_one_setup():
    """Hold the operating system's lock on .venv.lock; it falls with its process, so it can never be stale."""
    with open(VENV + ".lock", "a+", encoding="utf-8") as file:
        told = False
        while not try_lock(file):
            if not told:
                print("Another go.py is setting up the environment; waiting for it ...", flush=True)
                told = True
            time.sleep(0.5)
        yield file


def try_lock(file):
    """Try to take the lock on an open file; where the file system has no locks, say so and go on."""
    try:
        if WINDOWS:
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        print("Note: this file system has no locks (%s); do not start two set-ups at once." % error)
    return True


def with_root_on_path():
    """Return the process environment with this checkout importable."""
    path = [ROOT] + [folder for folder in [os.environ.get("PYTHONPATH")] if folder]
    return dict(os.environ, PYTHONPATH=os.pathsep.join(path))


def size_of(folder):
    """Return the bytes of all files below a folder."""
    return sum(os.lstat(os.path.join(place, name)).st_size for place, _, names in os.walk(folder) for name in names)


def remove_file(path):
    """Remove a file if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)


def clock(seconds):
    """Return a duration as minutes:seconds."""
    return "%d:%02d" % divmod(int(seconds), 60)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
