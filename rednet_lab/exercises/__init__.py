"""Exercises that answer back: `check(name)(function)` says "Right", "To do", or names the mistake with its hint.

Each module here is the master of one exercise. Its docstring is the task; PLACE says into which notebook, behind which
cell; `your_...` is the solution, of which the part between the markers is the student's; `inputs()` draws small random
arguments; WRONG holds the known wrong answers, each under its own hint. `run`, where there is one, says what of an
answer is compared. `python -m rednet_lab.exercises` writes the cells into the notebooks.
"""

import importlib
from types import ModuleType

import torch

NAMES = tuple(  # in the order of the course
    "decode_map weighted_loss pool_unpool residual_unit spatial_loop label_map lstm_clip identity_loss shape_offsets "
    "training_step tracking_loop paired_bootstrap".split()
)
TRIALS = 3  # sets of inputs: an answer that is right, or wrong in one way, by chance is so only once


def load(name: str) -> ModuleType:
    """Return the master of an exercise; raise ValueError for a name that there is not."""
    if name not in NAMES:
        raise ValueError(f"exercise {name!r}, known: {', '.join(NAMES)}")
    return importlib.import_module(f"rednet_lab.exercises.{name}")


def solution(master: ModuleType):
    """Return a master's own function."""
    return next(value for name, value in vars(master).items() if name.startswith("your_"))


def outcome(master: ModuleType, function, trial: int):
    """Return what a function makes of the inputs of a trial; the notebook's random numbers are left as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trial)
        run = getattr(master, "run", lambda answer, *given: answer(*given))
        return run(lambda *given: None if (result := function(*given)) is ... else result, *master.inputs())


def same(a, b) -> bool:
    """Tell whether two results are alike: tensors and numbers nearly, tuples and lists part by part."""
    if isinstance(a, tuple | list) or isinstance(b, tuple | list):
        both = isinstance(a, tuple | list) and isinstance(b, tuple | list) and len(a) == len(b)
        return both and all(same(x, y) for x, y in zip(a, b, strict=True))
    if a is None or b is None:
        return a is b
    a, b = (torch.as_tensor(value).detach().double() for value in (a, b))
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-6)


def shape(result) -> str:
    """Return the shape of a result in words."""
    if isinstance(result, tuple | list):
        return f"{len(result)} parts ({', '.join(shape(part) for part in result)})"
    return "nothing" if result is None else str(tuple(torch.as_tensor(result).shape))


def check(name: str):
    """Return the function that judges an answer to an exercise in one sentence."""
    master = load(name)

    def judge(function) -> str:
        try:
            given = [outcome(master, function, trial) for trial in range(TRIALS)]
            if given[0] is None:
                return "To do: your function returns nothing yet."
            wanted = [outcome(master, solution(master), trial) for trial in range(TRIALS)]
            if same(given, wanted):
                return "Right."
            for hint, wrong in master.WRONG.items():
                if same(given, [outcome(master, wrong, trial) for trial in range(TRIALS)]):
                    return f"Not yet. {hint}"
            if shape(given[0]) != shape(wanted[0]):
                return f"Not yet. The shape is {shape(given[0])}, it should be {shape(wanted[0])}."
        except Exception as error:  # whatever a student's code raises is an answer, not the end of the notebook
            return f"Not yet. Your code raises {type(error).__name__}: {error}"
        return "Not yet. The shapes are right, the numbers are not, and it is none of the mistakes known here."

    return judge
