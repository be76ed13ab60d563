"""Identity disentangling f_cls: who it is must be readable from e_i alone (journal 3.4, 4.3, figure 6)."""

from torch import Tensor, nn


class IdentityClassifier(nn.Module):
    """f_cls: e_i to a compact identity vector (256 numbers in the paper), then to scores of N persons (Eq. 12).

    squeeze=False leaves out the 1 x 1 convolution before the pooling, as the ECCV network does (its 4.3).
    """

    def __init__(self, channels: int, identities: int, units: int = 256, dropout: float = 0.6, squeeze: bool = True):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, units, 1) if squeeze else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(units, identities)

    def embed(self, e_i: Tensor) -> Tensor:
        """Return the identity vector (N, 256) of e_i (N, C, 8, 8)."""
        return self.squeeze(e_i).mean((-1, -2))

    def forward(self, e_i: Tensor) -> Tensor:
        """Return the scores z_i = f_cls(e_i; theta_cls) (Eq. 12; ECCV Eq. 7), (N, identities), of e_i (N, C, 8, 8)."""
        return self.classify(self.dropout(self.embed(e_i)))
