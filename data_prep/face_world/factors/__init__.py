"""What is drawn: `fields` (every number of a picture), `people`, `dressing`, `sampling` (their distributions), `video`
(trajectories), `camera` (rotation, projection, and the framing by the face box).
"""
