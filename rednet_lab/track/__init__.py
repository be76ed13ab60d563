"""Faces in one's own pictures and videos: found, followed, lost and found again; `python -m rednet_lab.track FILE`."""
