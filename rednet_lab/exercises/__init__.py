"""Exercises that answer back: `check(name)(function)` says "Right", "To do", or names the mistake with its hint.

`parts` and `loops` hold the masters, `notebooks` makes the cells of them.
"""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch

NAMES = tuple(  # in the order of the course
    "decode_map weighted_loss pool_unpool residual_unit spatial_loop label_map lstm_clip identity_loss shape_offsets "
    "training_step tracking_loop paired_bootstrap".split()
)
TRIALS = 3  # sets of inputs: an answer that is right, or wrong in one way, by chance is so only once


@dataclass
class Exercise:
    """The master of one exercise, made by `exercise` from a function that draws small random inputs.

    The function's docstring is the task. wrong holds the known mistakes under their hints: each a function, or edits of
    the solution between its markers, "old => new".
    """

    notebook: str
    cell: str  # behind which the exercise stands
    solution: Callable
    inputs: Callable
    run: Callable = lambda answer, *given: answer(*given)  # what of an answer is compared
    wrong: dict[str, Callable | str | tuple[str, ...]] = field(default_factory=dict)

    def mistake(self, hint: str) -> Callable:
        """Return the function with the mistake of a hint. Raise ValueError for an edit of what is not there."""
        wrong = self.wrong[hint]
        if callable(wrong):
            return wrong
        head, body = inspect.getsource(self.solution).split("### BEGIN SOLUTION")
        for old, _, new in (edit.partition(" => ") for edit in ((wrong,) if isinstance(wrong, str) else wrong)):
            if old not in body:
                raise ValueError(f"{hint!r}: no {old!r} in the solution")
            body = body.replace(old, new)
        space = dict(self.solution.__globals__)
        exec(head + body, space)
        return space[self.solution.__name__]


exercise = partial(partial, Exercise)  # exercise(notebook, cell, solution) decorates the function that draws inputs


def load(name: str) -> Exercise:
    """Return the master of an exercise; raise ValueError for a name that there is not."""
    if name not in NAMES:
        raise ValueError(f"exercise {name!r}, known: {', '.join(NAMES)}")
    modules = (importlib.import_module(f"rednet_lab.exercises.{module}") for module in ("parts", "loops"))
    return next(vars(module)[name] for module in modules if name in vars(module))


def outcome(master: Exercise, function, trial: int):
    """Return what a function makes of the inputs of a trial; the notebook's random numbers are left as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trial)
        given = master.inputs()
        return master.run(lambda *given: None if (result := function(*given)) is ... else result, *given)


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
            wanted = [outcome(master, master.solution, trial) for trial in range(TRIALS)]
            if same(given, wanted):
                return "Right."
            for hint in master.wrong:
                if same(given, [outcome(master, master.mistake(hint), trial) for trial in range(TRIALS)]):
                    return f"Not yet. {hint}"
            if shape(given[0]) != shape(wanted[0]):
                return f"Not yet. The shape is {shape(given[0])}, it should be {shape(wanted[0])}."
        except Exception as error:  # whatever a student's code raises is an answer, not the end of the notebook
            return f"Not yet. Your code raises {type(error).__name__}: {error}"
        return "Not yet. The shapes are right, the numbers are not, and it is none of the mistakes known here."

    return judge
