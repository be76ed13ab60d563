"""`python -m data_prep.face_world --out sheet.png` draws a contact sheet."""

import argparse

import cv2

from data_prep.face_world.sheet import contact_sheet


def main(arguments=None):
    """Draw the contact sheet the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.face_world", description="Draw a contact sheet of the face world."
    )
    parser.add_argument("--out", required=True, help="picture to write (.png or .jpg)")
    parser.add_argument("--kind", default="stills", choices=("stills", "yaw", "expressions", "people", "video"))
    parser.add_argument("--rows", type=int, default=6, help="rows of faces (default 6)")
    parser.add_argument("--columns", type=int, default=8, help="columns of stills, people and video (default 8)")
    parser.add_argument("--size", type=int, default=128, help="side of a face's picture in pixels (default 128)")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another world (default 0)")
    parser.add_argument("--first", type=int, default=0, help="first still, person or video (default 0)")
    parser.add_argument("--difficulty", default="common", choices=("common", "challenging"), help="of videos")
    parser.add_argument("--points", action="store_true", help="draw the 68 points, red where they are hidden")
    options = vars(parser.parse_args(arguments))
    out = options.pop("out")
    if not cv2.imwrite(out, contact_sheet(**options)[..., ::-1]):
        parser.error(f"cannot write {out}")


if __name__ == "__main__":
    main()
