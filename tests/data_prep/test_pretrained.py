"""ImageNet checkpoints in torchvision's format, written here: names and shapes are its published definitions'.

Most files are narrow (as the networks are), which the format does not care about; one test a family has full sizes.
"""

import pytest
import torch
import torch.nn.functional as F

from data_prep import pretrained
from rednet_core.checkpoint import CheckpointError
from rednet_core.rednet import NetConfig, RedNet
from tests.helpers import tiny_net
from tests.rednet_core.eccv.tiny import tiny_eccv

VGG_16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")
UNITS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3), "resnet152": (3, 8, 36, 3)}
MEAN, SPREAD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
FULL = dict(encoder_convs=(2, 2, 3, 3, 3))


def random_norm(made, name, channels, generator):
    made[f"{name}.weight"] = 0.5 + torch.rand(channels, generator=generator)
    made[f"{name}.bias"] = torch.randn(channels, generator=generator)
    made[f"{name}.running_mean"] = torch.randn(channels, generator=generator)
    made[f"{name}.running_var"] = 0.5 + torch.rand(channels, generator=generator)
    made[f"{name}.num_batches_tracked"] = torch.tensor(7)


def vgg_file(norm, divide=8, layers=VGG_16):
    """The state_dict of vgg16 or vgg16_bn at 1 / divide of the width: features.N, then classifier.N."""
    generator = torch.Generator().manual_seed(0)
    made, place, before = {}, 0, 3
    for layer in layers:
        if layer == "M":
            place += 1
            continue
        width = layer // divide
        made[f"features.{place}.weight"] = torch.randn(width, before, 3, 3, generator=generator)
        made[f"features.{place}.bias"] = torch.randn(width, generator=generator)
        if norm:
            random_norm(made, f"features.{place + 1}", width, generator)
        place, before = place + (3 if norm else 2), width
    for place in (0, 3, 6):
        made[f"classifier.{place}.weight"], made[f"classifier.{place}.bias"] = torch.zeros(4, 4), torch.zeros(4)
    return made


def resnet_file(units, divide=8):
    """The state_dict of a torchvision ResNet with bottleneck units at 1 / divide of the width."""
    generator = torch.Generator().manual_seed(1)
    before = 64 // divide
    made = {"conv1.weight": torch.randn(before, 3, 7, 7, generator=generator)}
    random_norm(made, "bn1", before, generator)
    for layer, count in enumerate(units, 1):
        middle = 64 * 2 ** (layer - 1) // divide
        for unit in range(count):
            name, sizes = f"layer{layer}.{unit}", ((middle, before, 1), (middle, middle, 3), (4 * middle, middle, 1))
            for k, (out, into, kernel) in enumerate(sizes, 1):
                spread = 0.3 / (into * kernel**2) ** 0.5  # 36 units one after the other must not overflow
                made[f"{name}.conv{k}.weight"] = spread * torch.randn(out, into, kernel, kernel, generator=generator)
                random_norm(made, f"{name}.bn{k}", out, generator)
            if unit == 0:
                made[f"{name}.downsample.0.weight"] = torch.randn(4 * middle, before, 1, 1, generator=generator)
                random_norm(made, f"{name}.downsample.1", 4 * middle, generator)
            before = 4 * middle
    made["fc.weight"], made["fc.bias"] = torch.zeros(10, before), torch.zeros(10)
    return made


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    content = {"vgg16": vgg_file(False), "vgg16_bn": vgg_file(True)}
    content |= {name: resnet_file(units) for name, units in UNITS.items()}
    for name, weights in content.items():
        torch.save(weights, folder / name, _use_new_zipfile_serialization=name != "vgg16")  # its file is an old one
    return folder, content


def norm(x, weights, name):
    kinds = ("running_mean", "running_var", "weight", "bias")
    return F.batch_norm(x, *(weights[f"{name}.{kind}"] for kind in kinds), training=False)


def state(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


# ------------------------------------------------------------------------------------------------------------- VGG


def inside(x):
    """Away from the border, where padding is a colour of its own."""
    return x[..., 2:-2, 2:-2]


def convolved(x, weights, place):
    return F.conv2d(x, weights[f"features.{place}.weight"], weights[f"features.{place}.bias"], padding=1)


def test_the_stem_computes_what_vgg16_bn_does_on_imagenets_colours(files):
    net = tiny_net(**FULL).eval()
    pretrained.load(net, files[0] / "vgg16_bn")
    weights, x = files[1]["vgg16_bn"], torch.rand(2, 3, 32, 32)
    expected = (x - MEAN[:, None, None]) / SPREAD[:, None, None]
    for place in (0, 3):
        expected = convolved(expected, weights, place)
        expected = F.relu(norm(expected, weights, f"features.{place + 1}"))
    with torch.no_grad():
        found = net.backbone.A0((x - 0.45) / 0.25)
    torch.testing.assert_close(inside(found), inside(expected), atol=1e-3, rtol=1e-3)


def test_the_rest_computes_what_vgg16_bn_does(files):
    net = tiny_net(**FULL).eval()
    pretrained.load(net, files[0] / "vgg16_bn")
    weights, stem = files[1]["vgg16_bn"], torch.rand(2, 8, 16, 16)
    expected, z = stem, torch.rand(2, 7, 16, 16)  # a z that zero weights do not see
    for block in ((7, 10), (14, 17, 20), (24, 27, 30), (34, 37, 40)):
        for place in block:
            expected = convolved(expected, weights, place)
            expected = F.relu(norm(expected, weights, f"features.{place + 1}"))
        expected = F.max_pool2d(expected, 2)
    with torch.no_grad():
        for step in (0, 1):  # both steps have the file's statistics
            torch.testing.assert_close(net.backbone.encode(stem, z, step).e, expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", ["vgg16", "vgg16_bn"])
def test_what_is_loaded_skipped_and_new_in_the_vgg_design(files, name):
    net = tiny_net(identities=3, temporal=True, **FULL)
    before = state(net)
    report = pretrained.load(net, files[0] / name)
    after = net.state_dict()
    assert len([n for n in report.loaded if n.endswith("conv.weight")]) == 13
    assert all(n.startswith("backbone.A") for n in report.loaded)
    assert len(report.loaded) == 13 * (5 if name == "vgg16_bn" else 1)
    skipped = {n.split(".")[0] for n in report.skipped}
    assert skipped == {"features", "classifier"} and len([n for n in report.skipped if n.startswith("cl")]) == 6
    assert len([n for n in report.skipped if n.startswith("features")]) == 13 * (2 if name == "vgg16_bn" else 1)
    assert set(report.loaded) | set(report.new) | {"mean_shape"} == set(after)
    assert not set(report.loaded) & set(report.new)
    for kept in (*report.new, "mean_shape"):
        assert torch.equal(before[kept], after[kept])
    for changed in report.loaded:
        assert not torch.equal(before[changed], after[changed])
    assert f"{len(report.loaded)} tensors loaded" in str(report) and "classifier.0" in str(report)
    assert "f_cls.classify" in str(report) and "backbone.B1" in str(report)


@pytest.mark.parametrize("feedback", ["zeros", "gaussian"])
def test_the_feedbacks_weights_begin_as_asked(files, feedback):
    net = tiny_net(**FULL)
    before = net.backbone.A1.convs[0].conv.weight.detach().clone()
    pretrained.load(net, files[0] / "vgg16", feedback)
    weight = net.backbone.A1.convs[0].conv.weight
    assert torch.equal(weight[:, :8], files[1]["vgg16"]["features.5.weight"])
    assert torch.equal(weight[:, 8:], torch.zeros(16, 7, 3, 3) if feedback == "zeros" else before[:, 8:])
    with pytest.raises(ValueError, match="feedback 'ones', known: zeros, gaussian"):
        pretrained.load(net, files[0] / "vgg16", "ones")


def test_a_smaller_network_takes_the_convolutions_it_has(files):
    net = tiny_net()  # one convolution a block
    report = pretrained.load(net, files[0] / "vgg16")
    assert report.loaded == [f"backbone.A{i}.convs.0.conv.weight" for i in range(5)]
    assert torch.equal(net.backbone.A4.convs[0].conv.weight, files[1]["vgg16"]["features.24.weight"])
    assert "features.26.weight" in report.skipped


@pytest.mark.parametrize("feedback, fed", [("label_map", 1), ("prob_maps", 69)])
def test_the_eccv_encoder_takes_vgg_16_behind_which_z_comes(files, feedback, fed):
    net = tiny_eccv(feedback=feedback, **FULL).eval()
    report = pretrained.load(net, files[0] / "vgg16_bn")
    assert len(report.loaded) == 13 * 5 and {n.split(".")[0] for n in report.loaded} == {"encoder"}
    assert net.encoder[0].convs[0].conv.weight.shape[1] == 3 + fed
    weights, x = files[1]["vgg16_bn"], torch.rand(1, 3, 32, 32)
    expected = (x - MEAN[:, None, None]) / SPREAD[:, None, None]
    expected = F.relu(norm(convolved(expected, weights, 0), weights, "features.1"))
    with torch.no_grad():
        found = net.encoder[0].convs[0](torch.cat([(x - 0.45) / 0.25, torch.rand(1, fed, 32, 32)], 1), 2)
    torch.testing.assert_close(inside(found), inside(expected), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("design, name", [("vgg", "vgg16_bn"), ("resnet", "resnet50")])
def test_each_encoder_of_a_cascade_takes_the_file(files, design, name):
    choices = FULL if design == "vgg" else {"width": 1 / 8, "encoder_units": UNITS[name]}
    steps = ("detection", "regression", "regression")
    net = tiny_net(design=design, shared=False, steps=steps, **choices)
    report = pretrained.load(net, files[0] / name)
    own, parts = dict(net.state_dict()), ("", "cascade.0.", "cascade.1.")
    first = [key for key in report.loaded if not key.startswith("cascade.")]
    assert report.loaded == [at + key for at in parts for key in first] and len(first) > 60
    for key in first:
        assert all(torch.equal(own[key], own[at + key]) for at in parts[1:]), key
    assert len(report.skipped) == len(set(report.skipped)) and not any("mean_shape" in key for key in report.new)


def test_without_batch_norm_the_convolutions_take_the_files_biases(files):
    net = tiny_net(batch_norm=False, **FULL)
    pretrained.load(net, files[0] / "vgg16")
    weights, x = files[1]["vgg16"], torch.rand(1, 3, 32, 32)
    expected = F.relu(convolved((x - MEAN[:, None, None]) / SPREAD[:, None, None], weights, 0))
    with torch.no_grad():
        found = net.backbone.A0.convs[0]((x - 0.45) / 0.25, 0)
    torch.testing.assert_close(inside(found), inside(expected), atol=1e-4, rtol=1e-4)
    assert torch.equal(net.backbone.A4.convs[2].norm.bias, weights["features.28.bias"])


def test_vgg_16_in_full_size():
    """The paper's network takes every convolution of the paper's file."""
    net = RedNet(NetConfig())
    report = pretrained.put(net, vgg_file(False, divide=1), "vgg16")
    assert len(report.loaded) == 13
    assert not [n for n in report.new if n.startswith("backbone.A") and n.endswith("conv.weight")]


# ---------------------------------------------------------------------------------------------------------- ResNet


def bottleneck(x, weights, name, stride):
    """A unit of torchvision's ResNet (version 1.5: the 3 x 3 convolution has the stride)."""
    y = F.relu(norm(F.conv2d(x, weights[f"{name}.conv1.weight"]), weights, f"{name}.bn1"))
    y = F.relu(norm(F.conv2d(y, weights[f"{name}.conv2.weight"], stride=stride, padding=1), weights, f"{name}.bn2"))
    y = norm(F.conv2d(y, weights[f"{name}.conv3.weight"]), weights, f"{name}.bn3")
    if f"{name}.downsample.0.weight" in weights:
        x = norm(F.conv2d(x, weights[f"{name}.downsample.0.weight"], stride=stride), weights, f"{name}.downsample.1")
    return F.relu(x + y)


@pytest.mark.parametrize("name", ["resnet50", "resnet152"])
def test_the_blocks_compute_what_the_resnet_does(files, name):
    units = UNITS[name]
    net = tiny_net(design="resnet", encoder_units=units).eval()
    pretrained.load(net, files[0] / name)
    weights, x = files[1][name], torch.rand(2, 3, 32, 32)
    stem = F.conv2d((x - MEAN[:, None, None]) / SPREAD[:, None, None], weights["conv1.weight"], stride=2, padding=3)
    stem = F.relu(norm(stem, weights, "bn1"))
    with torch.no_grad():
        torch.testing.assert_close(inside(net.backbone.stem((x - 0.45) / 0.25)), inside(stem), atol=1e-3, rtol=1e-3)
        z, given = torch.rand(2, 7, 16, 16), stem
        for layer, count in enumerate(units, 1):
            expected = given
            for unit in range(count):
                # Where torchvision has a max pooling, before layer1, this design has layer1's stride (Table 2).
                expected = bottleneck(expected, weights, f"layer{layer}.{unit}", 2 if unit == 0 else 1)
            seen = torch.cat([given, z], 1) if layer == 1 else given
            found = getattr(net.backbone, f"C{layer}")(seen, 1)
            scale = float(expected.abs().max())
            torch.testing.assert_close(found / scale, expected / scale, atol=1e-4, rtol=1e-3)
            given = expected / scale


@pytest.mark.parametrize("name", list(UNITS))
def test_what_is_loaded_skipped_and_new_in_the_resnet_design(files, name):
    net = tiny_net(design="resnet", encoder_units=UNITS["resnet152"])
    report = pretrained.load(net, files[0] / name)
    assert all(n.startswith("backbone.C") for n in report.loaded)
    convolutions = [n for n in report.loaded if n.endswith("conv.weight")]
    assert len(convolutions) == 1 + 3 * sum(UNITS[name]) + 4
    assert {n.rsplit(".", 1)[-1] for n in report.skipped} == {"num_batches_tracked", "weight", "bias"}
    assert [n for n in report.skipped if not n.endswith("tracked")] == ["fc.weight", "fc.bias"]
    left = {n.split(".units.")[0] for n in report.new if n.startswith("backbone.C")}
    assert left == (set() if name == "resnet152" else {"backbone.C2", "backbone.C3"})
    if name != "resnet152":  # the units that only ResNet-152 has are new
        assert "backbone.C3.units.35.expand.conv.weight" in report.new
        assert "backbone.C2.units.3.expand.conv.weight" in report.loaded


def test_feedback_in_both_of_the_first_units_convolutions(files):
    net = tiny_net(design="resnet", encoder_units=UNITS["resnet50"])
    pretrained.load(net, files[0] / "resnet50")
    unit = net.backbone.C1.units[0]
    for layer, name in ((unit.reduce, "conv1"), (unit.shortcut, "downsample.0")):
        assert torch.equal(layer.conv.weight[:, :8], files[1]["resnet50"][f"layer1.0.{name}.weight"])
        assert (layer.conv.weight[:, 8:] == 0).all()


def test_resnet_152_in_full_size():
    """All of the paper's 151 convolutions and four shortcuts, on the network of Table 2."""
    narrow, wide = resnet_file(UNITS["resnet152"]), {}
    for name, value in narrow.items():
        sizes = [n * 8 if i < 2 and n > 3 and n != 7 else n for i, n in enumerate(value.shape)]
        wide[name] = torch.ones(()).expand(sizes) if not name.startswith("fc") else value
    net = RedNet(NetConfig(design="resnet"))
    report = pretrained.put(net, wide, "resnet152")
    assert len([n for n in report.loaded if n.endswith("conv.weight")]) == 151 + 4
    assert not [n for n in report.new if n.startswith("backbone.C")]


# ------------------------------------------------------------------------------------------------------ wrong files


def wrong_files():
    good = vgg_file(True)
    basic = {"conv1.weight": torch.zeros(8, 3, 7, 7), "layer1.0.conv1.weight": torch.zeros(8, 8, 3, 3)}  # ResNet-18
    nan = {**good, "features.3.weight": good["features.3.weight"] * float("nan")}
    wide = vgg_file(True, divide=4)
    yield "vgg", resnet_file((1, 1, 1, 1)), "holds a ResNet; this network's encoder is of the vgg design"
    yield "resnet", good, "holds a VGG; this network's encoder is of the resnet design"
    yield "vgg", {"a": torch.zeros(3)}, "holds neither VGG nor ResNet"
    yield "vgg", vgg_file(False, layers=[n for n in VGG_16 if n != 512]), "has 7 convolutions, VGG-16 has 13"
    yield "vgg", nan, r"features.3.weight holds numbers that are not finite"
    yield "vgg", wide, r"features.0.weight does not fit .*\(16, 3, 3, 3\) there, \(8, 3, 3, 3\) here"
    yield "resnet", basic, r"layer1.0.conv1.weight does not fit backbone.C1.units.0.reduce.conv.weight"
    yield "resnet", {"layer1.0.conv1.weight": torch.zeros(8, 8, 1, 1)}, "has no first convolution"
    yield "vgg", {"features.0.weight": [1, 2]}, r"holds no weights by name"
    yield "vgg", [1, 2], r"holds no weights by name"


@pytest.mark.parametrize("design, content, message", list(wrong_files()))
def test_a_wrong_file_is_named_and_leaves_the_network_alone(tmp_path, design, content, message):
    net = tiny_net(design=design, **FULL)
    before = state(net)
    torch.save(content, tmp_path / "wrong.pth")
    with pytest.raises(CheckpointError, match="wrong.pth: .*" + message):
        pretrained.load(net, tmp_path / "wrong.pth")
    after = net.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_damaged_or_missing_file_is_named(tmp_path):
    net = tiny_net()
    with pytest.raises(CheckpointError, match="none.pth: no such file"):
        pretrained.load(net, tmp_path / "none.pth")
    torch.save(vgg_file(False), tmp_path / "cut.pth")
    whole = (tmp_path / "cut.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="cut.pth: not a readable file of weights"):
        pretrained.load(net, tmp_path / "cut.pth")
    torch.save(vgg_file, tmp_path / "code.pth")  # a function: code is not run
    with pytest.raises(CheckpointError, match="code.pth: not a readable file of weights"):
        pretrained.load(net, tmp_path / "code.pth")


# -------------------------------------------------------------------------------------------------------- download


def test_download_asks_torch_hub_for_a_checked_file(monkeypatch, files):
    asked = []

    def fetch(url, **how):
        asked.append((url, how))
        return files[1]["vgg16_bn"]

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fetch)
    report = pretrained.download(tiny_net(**FULL), "vgg16_bn")
    url, how = asked[0]
    assert url == "https://download.pytorch.org/models/vgg16_bn-6c64b313.pth"
    assert how["check_hash"] is True and how["weights_only"] is True
    assert report.source == "vgg16_bn" and len(report.loaded) == 65
    with pytest.raises(ValueError, match="pretrained weights 'vgg19', known: vgg16, vgg16_bn, resnet50"):
        pretrained.download(tiny_net(), "vgg19")
    assert len(asked) == 1


def test_every_files_name_carries_the_beginning_of_its_hash():
    """What torch.hub checks (its pattern: a hyphen, eight hexadecimal digits or more, a dot)."""
    assert all(torch.hub.HASH_REGEX.search(name) for name in pretrained.FILES.values())
    assert set(pretrained.FILES) == {"vgg16", "vgg16_bn", *UNITS}


def test_torch_hubs_check_refuses_a_file_with_another_hash(monkeypatch, tmp_path):
    """The real torch.hub on a local address: nothing of a wrong file reaches the network."""
    torch.save(vgg_file(True), tmp_path / "vgg16_bn-6c64b313.pth")
    monkeypatch.setattr(pretrained, "MODELS", tmp_path.as_uri() + "/")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    net = tiny_net(**FULL)
    before = state(net)
    with pytest.raises(RuntimeError, match="invalid hash value"):
        pretrained.download(net, "vgg16_bn")
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
