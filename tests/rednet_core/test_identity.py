"""f_cls against plain matrix arithmetic, and dropout where it belongs."""

import numpy as np
import torch

from rednet_core.identity import IdentityClassifier


def test_embedding_and_scores_are_matrix_arithmetic():
    torch.manual_seed(0)
    cls = IdentityClassifier(channels=6, identities=4, units=5).eval()
    e_i = torch.randn(3, 6, 2, 2)
    w = {k: v.detach().double().numpy() for k, v in cls.state_dict().items()}
    for n in range(3):
        pictures = np.einsum("uc,chw->uhw", w["squeeze.weight"][:, :, 0, 0], e_i[n].double().numpy())
        vector = (pictures + w["squeeze.bias"][:, None, None]).mean((1, 2))
        np.testing.assert_allclose(cls.embed(e_i)[n].detach(), vector, atol=1e-6)
        expected = w["classify.weight"] @ vector + w["classify.bias"]
        np.testing.assert_allclose(cls(e_i)[n].detach(), expected, atol=1e-5)


def test_dropout_acts_in_training_only_and_at_its_rate():
    torch.manual_seed(1)
    cls = IdentityClassifier(channels=4, identities=3, units=20000, dropout=0.6)
    e_i = torch.rand(1, 4, 2, 2) + 1
    seen = []
    cls.classify.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    with torch.no_grad():
        cls.train()(e_i), cls.train()(e_i), cls.eval()(e_i)
        vector = cls.embed(e_i)
    dropped = seen[0] == 0
    assert abs(float(dropped.float().mean()) - 0.6) < 0.02
    torch.testing.assert_close(seen[0][~dropped], vector[~dropped] / 0.4)
    assert not torch.equal(seen[0], seen[1])
    torch.testing.assert_close(seen[2], vector)


def test_the_papers_identity_vector_has_256_numbers_and_dropout_60_per_cent():
    cls = IdentityClassifier(channels=256, identities=10)
    assert cls.embed(torch.zeros(1, 256, 8, 8)).shape == (1, 256)
    assert cls.dropout.p == 0.6
