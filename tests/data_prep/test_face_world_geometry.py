"""The face world's geometry: where the 68 points are, what moves them and what hides them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from data_prep.face_world import Factors, Occluder, render, sample_factors
from data_prep.face_world.factors.camera import ANCHOR, BOX_MM, framed, rotation, turned
from data_prep.face_world.head.flesh import flesh, head
from data_prep.face_world.head.landmarks import landmark_points, landmark_table
from data_prep.face_world.scene.raster import rasterise
from rednet_core.markup import IBUG68

NEUTRAL = framed(Factors(hair_style="bald"), 0.6)


def points_of(size=128, **changes):
    return render(replace(NEUTRAL, **changes), size).points


def project_slowly(points, factors, size):
    """Pixels (n, 2) of head points (n, 3) mm, written out one point and one number at a time in float64."""
    a, b, c = (np.radians(v) for v in (factors.yaw, factors.pitch, factors.roll))

    def turn(p):
        x, y, z = p
        y, z = y * np.cos(b) + z * np.sin(b), -y * np.sin(b) + z * np.cos(b)
        x, z = x * np.cos(a) - z * np.sin(a), x * np.sin(a) + z * np.cos(a)
        return x * np.cos(c) - y * np.sin(c), x * np.sin(c) + y * np.cos(c), z

    ax, ay, az = turn(ANCHOR)
    pixels = []
    for point in points:
        x, y, z = turn([float(v) for v in point])
        zoom = factors.scale * size / BOX_MM * factors.distance / (factors.distance - (z - az))
        side = factors.scale * size
        pixels.append(
            [(size - 1) / 2 + factors.x * side + zoom * (x - ax), (size - 1) / 2 + factors.y * side - zoom * (y - ay)]
        )
    return np.array(pixels)


@pytest.mark.parametrize("pose", [(0, 0, 0), (40, -20, 15), (-75, 25, -25)])
def test_points_agree_with_a_projection_by_hand(pose):
    factors = replace(NEUTRAL, yaw=pose[0], pitch=pose[1], roll=pose[2], x=0.1, y=-0.05, jaw=0.4, smile=0.3)
    grid = flesh(factors.shape, factors.expression)[head().grid]
    turned_x = turned(grid, rotation(factors.yaw, factors.pitch, 0.0))[:, 0]
    expected = project_slowly(landmark_points(grid, turned_x), factors, 128)
    np.testing.assert_allclose(render(factors, 128).points, expected, atol=0.02)


def test_points_lie_on_the_skin():
    """At each fixed point the interpolated skin is where its four neighbours are."""
    index, weight = landmark_table()
    assert np.allclose(weight.sum(1), 1) and (weight >= -1e-6).all()
    corners = head().rest[index]
    assert np.linalg.norm(corners - corners.mean(1, keepdims=True), axis=-1).max() < 12


def test_rotation_is_a_rotation_and_signed_as_aflw():
    turn = rotation(20, 10, 30)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    nose = np.array([0, 0, 1.0])
    assert (rotation(30, 0, 0) @ nose)[0] < 0, "yaw > 0: the nose points to the viewer's left"
    assert (rotation(0, 20, 0) @ nose)[1] > 0, "pitch > 0: looking up"
    assert (rotation(0, 0, 20) @ [1.0, 0, 0])[1] > 0, "roll > 0: counter-clockwise as displayed"


def test_signs_in_the_picture():
    front, left = points_of(), points_of(yaw=30.0)
    offsets = [p[30, 0] - p[[36, 45], 0].mean() for p in (front, left)]
    assert offsets[1] < offsets[0] - 4
    eyes = points_of(roll=15.0)[[36, 45]]
    assert np.degrees(-np.arctan2(*(eyes[1] - eyes[0])[::-1])) == pytest.approx(15, abs=1.5)
    shares = [
        (p[30, 1] - p[27, 1]) / (p[8, 1] - p[27, 1]) for p in (points_of(pitch=20.0), front, points_of(pitch=-20.0))
    ]
    assert shares[0] < shares[1] < shares[2]


def test_opposite_yaws_mirror():
    for yaw in (0.0, 35.0, 70.0):
        p, q = points_of(yaw=yaw), points_of(yaw=-yaw)
        mirrored = q[list(IBUG68.flip)] * [-1, 1] + [127, 0]
        np.testing.assert_allclose(p, mirrored, atol=0.1)


def test_order_of_points_on_frontal_faces():
    for k in range(12):
        factors = replace(sample_factors((21, k), occlusion=0.0, pose=0.0), jaw=0.0, roll=0.0)
        p = render(factors, 96).points
        x, y = p.T
        assert (np.diff(x[[36, 39, 42, 45]]) > 0).all() and (np.diff(x[17:27]) > 0).all()
        assert y[[19, 24]].max() < y[36:48].min() and y[36:48].max() < y[30] < y[33] < y[48:68].min() < y[8]
        assert (np.diff(x[2:15]) > 0).all() and y[8] > y[[5, 11]].max() and x[0] < x[17] and x[26] < x[16]
        assert (np.diff(y[:7]) > 0).all() and (np.diff(y[10:17]) < 0).all()
        assert (np.diff(y[27:31]) > 0).all() and (np.diff(x[31:36]) > 0).all()
        assert x[48] < x[60] < x[64] < x[54] and y[51] < y[57]


def test_average_face_has_human_proportions():
    """Ratios that hold for people: face as wide as high below the brows, eyes a quarter of it, and so on."""
    p = points_of(256)
    eyes = np.linalg.norm(p[45] - p[36])
    assert (p[16, 0] - p[0, 0]) / eyes == pytest.approx(1.66, abs=0.12)
    assert (p[8, 1] - p[27, 1]) / eyes == pytest.approx(1.29, abs=0.12)
    assert (p[54, 0] - p[48, 0]) / eyes == pytest.approx(0.58, abs=0.06)
    assert (p[42, 0] - p[39, 0]) / eyes == pytest.approx(0.43, abs=0.06)


@pytest.mark.parametrize("yaw, near, far", [(75.0, 45, 36), (-75.0, 36, 45)])
def test_far_eye_corner_is_hidden_near_one_seen(yaw, near, far):
    visible = render(replace(NEUTRAL, yaw=yaw), 128).visible
    assert visible[near] and not visible[far]


def test_all_points_of_a_bare_frontal_face_are_visible():
    assert render(NEUTRAL, 128).visible.all()


def test_points_outside_the_frame_are_not_visible():
    sample = render(replace(NEUTRAL, x=0.55), 96)
    outside = sample.points[:, 0] > 95.5
    assert outside.any() and not sample.visible[outside].any() and sample.visible[~outside].any()


def test_an_occluder_hides_what_lies_under_it():
    mouth = list(IBUG68.groups["mouth"])
    clean = render(NEUTRAL, 128)
    thing = Occluder("ellipse", x=0.0, y=0.17, size=0.75, colour=(0.1, 0.9, 0.1))
    covered = render(replace(NEUTRAL, occluders=(thing,)), 128)
    assert not covered.visible[mouth].any() and covered.visible[36:48].all()
    place = tuple(np.round(clean.points[66]).astype(int)[::-1])
    assert covered.image[place][1] > covered.image[place][0] + 40, "green where the mouth was"
    np.testing.assert_array_equal(covered.points, clean.points)


def test_hidden_points_are_those_whose_pixels_changed():
    """A plain box before the face: points are hidden just where the picture differs from the one without it."""
    bare = replace(NEUTRAL, noise=0.0, blur=0.0, compression=0.0)
    box = replace(bare, occluders=(Occluder("box", x=-0.12, y=-0.1, size=0.5, colour=(0.0, 0.0, 1.0), seed=4),))
    one, two = render(bare, 192), render(box, 192)
    x, y = np.round(one.points).astype(int).T
    blue = (two.image[..., 2].astype(int) - two.image[..., 0])[y, x] > 60
    assert 5 < blue.sum() < 60
    assert np.mean(blue == ~two.visible) > 0.93  # points on the box's very edge may go either way


def test_sunglasses_hide_eyes_and_clear_ones_do_not():
    eyes = slice(36, 48)
    assert not render(replace(NEUTRAL, glasses="dark"), 128).visible[eyes].any()
    assert render(replace(NEUTRAL, glasses="clear", glasses_shape=(0.6, 0.5, 0.1)), 128).visible[eyes].all()


def test_a_mask_or_a_scarf_hides_the_mouth():
    assert not render(replace(NEUTRAL, cover="mask"), 128).visible[48:68].any()
    assert not render(replace(NEUTRAL, cover="scarf", cover_height=0.7), 128).visible[48:68].any()
    assert render(replace(NEUTRAL, cover="scarf", cover_height=0.1), 128).visible[48:68].all()


def gap(points, upper, lower):
    return float(np.linalg.norm(points[upper] - points[lower], axis=-1).mean())


@pytest.mark.parametrize(
    "change, measure, direction",
    [
        ({"jaw": 1.0}, lambda p: gap(p, [61, 62, 63], [67, 66, 65]), 12),
        ({"lips_apart": 1.0}, lambda p: gap(p, [61, 62, 63], [67, 66, 65]), 3),
        ({"blink_left": 1.0}, lambda p: gap(p, [37, 38], [41, 40]), -2.5),
        ({"blink_right": 1.0}, lambda p: gap(p, [43, 44], [47, 46]), -2.5),
        ({"smile": 1.0}, lambda p: p[54, 0] - p[48, 0], 4),
        ({"smile": 1.0}, lambda p: p[57, 1] - p[[48, 54], 1].mean(), 2),
        ({"frown": 1.0}, lambda p: p[[48, 54], 1].mean() - p[51, 1], 2),
        ({"pucker": 1.0}, lambda p: p[54, 0] - p[48, 0], -5),
        ({"lips_pressed": 1.0}, lambda p: gap(p, [51, 62], [66, 57]), -1.2),
        ({"brows_up": 1.0}, lambda p: p[36:48, 1].mean() - p[17:27, 1].mean(), 3),
        ({"brows_down": 1.0}, lambda p: p[36:48, 1].mean() - p[17:27, 1].mean(), -1),
        ({"brows_down": 1.0}, lambda p: p[22, 0] - p[21, 0], -1),
        ({"brows_worried": 1.0}, lambda p: p[[17, 26], 1].mean() - p[[21, 22], 1].mean(), 1.5),
        ({"squint": 1.0}, lambda p: gap(p, [37, 38, 43, 44], [41, 40, 47, 46]), -0.8),
        ({"gaze_y": -1.0}, lambda p: gap(p, [37, 38, 43, 44], [41, 40, 47, 46]), -0.3),
    ],
)
def test_expressions_move_the_points_they_should(change, measure, direction):
    """At 192 pixels, a fully switched-on expression moves its measure by at least `direction` pixels."""
    moved = measure(points_of(192, **change)) - measure(points_of(192))
    assert moved * np.sign(direction) > abs(direction)


def test_closed_lids_meet_and_neutral_lips_touch():
    p = points_of(256, blink_left=1.0)
    assert gap(p, [37, 38], [41, 40]) < 1.0
    assert gap(points_of(256), [61, 62, 63], [67, 66, 65]) < 0.5


def test_open_mouth_is_dark_inside_and_eye_darker_than_cheek():
    sample = render(replace(NEUTRAL, jaw=1.0, noise=0.0), 192)
    grey = cv2.cvtColor(sample.image, cv2.COLOR_RGB2GRAY).astype(float)

    def at(p):
        return grey[int(round(p[1])), int(round(p[0]))]

    inside = at(sample.points[[62, 66]].mean(0))
    cheek = at((sample.points[2] + sample.points[31]) / 2)
    assert inside < 0.6 * cheek
    assert at(sample.points[36:42].mean(0)) < 0.8 * cheek


def test_rasteriser_agrees_with_a_pixel_loop():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.uniform(-4, 28, (40, 2)), rng.uniform(0, 9, (40, 1))], 1).astype(np.float32)
    triangles = rng.integers(0, 40, (60, 3)).astype(np.int32)
    hits = rasterise(points, triangles, np.zeros(60, int), 24, 1)[0]
    nearest = np.full((24, 24), -1)
    depth = np.full((24, 24), -np.inf)
    for number, corners in enumerate(points[triangles].astype(float)):
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners
        area = (cx - ax) * (by - ay) - (bx - ax) * (cy - ay)
        if area <= 1e-6:
            continue
        for y in range(24):
            for x in range(24):
                w1 = ((cx - ax) * (y - ay) - (x - ax) * (cy - ay)) / area
                w2 = ((x - ax) * (by - ay) - (bx - ax) * (y - ay)) / area
                z = az + w1 * (bz - az) + w2 * (cz - az)
                if min(w1, w2, 1 - w1 - w2) >= 0 and z > depth[y, x]:
                    depth[y, x], nearest[y, x] = z, number
    drawn = np.full(24 * 24, -1)
    drawn[hits.pixel] = hits.triangle
    assert (nearest >= 0).mean() > 0.5
    assert np.mean(drawn.reshape(24, 24) == nearest) > 0.995


def test_shapes_move_points_and_stay_small():
    """Every shape coefficient moves some landmark or the head's outline, and none by more than 8 mm a deviation."""
    model = head()
    moves = np.linalg.norm(model.shapes.reshape(len(model.shapes), -1, 3), axis=-1)
    assert (moves.max(1) > 0.4).all() and moves.max() < 8
