"""A vision transformer's patch embedding that reads patches before they are enlarged.

Bilinear enlargement by a whole factor s, then a convolution with p x p kernels at stride p, is one
linear map: a replicate-pad by 1, then a convolution with kernels of p/s + 2 pixels at stride p/s.
At 64 -> 256 pixels and p = 16 that is 6 x 6 at stride 4: a seventh of the products, and the
enlarged image (sixteen times the bytes) is never made.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class EnlargingConv2d(nn.Conv2d):
    """Patch-embedding convolution of an image of `image_size`, given it or a smaller one.

    Its parameters are those of `convolution`, which it replaces: the p x p kernels are what is
    trained and stored.
    """

    def __init__(self, convolution: nn.Conv2d, image_size: int) -> None:
        super().__init__(
            convolution.in_channels,
            convolution.out_channels,
            _side(convolution),
            stride=_side(convolution),
            bias=convolution.bias is not None,
            device="meta",
        )
        self.weight, self.bias = convolution.weight, convolution.bias
        self.image_size = image_size

    def reads(self, size: int) -> bool:
        """Whether images of size x size need not be enlarged first."""
        factor, rest = divmod(self.image_size, size)
        return rest == 0 and factor > 0 and _side(self) % factor == 0

    def forward(self, images: Tensor) -> Tensor:
        """(n, channel, size, size) -> (n, output, image_size / p, image_size / p)."""
        factor = self.image_size // images.shape[-1]
        if factor == 1:
            return super().forward(images)
        taps = enlargement(_side(self), factor, self.weight.device)
        # in float32: the kernels are rounded once, as those of the plain convolution are
        with torch.autocast(images.device.type, enabled=False):
            weight = torch.einsum("oikl,ka,lb->oiab", self.weight, *2 * (taps.to(self.weight),))
        padded = functional.pad(images, (1, 1, 1, 1), mode="replicate")
        return functional.conv2d(padded, weight, self.bias, stride=_side(self) // factor)


def enlargement(side: int, factor: int, device: torch.device) -> Tensor:
    """Bilinear weights of the pixels around a block, (side, side / factor + 2) float64.

    Row k says what enlarged pixel k of the block is made of: pixel centres lie at halves
    (align_corners=False), so it is seen at (k + 1/2) / factor - 1/2.
    """
    position = (torch.arange(side, dtype=torch.float64, device=device) + 0.5) / factor + 0.5
    taps = torch.arange(side // factor + 2, dtype=torch.float64, device=device)
    return (1 - (position[:, None] - taps).abs()).clamp_min(0)


def fold_enlargement(encoder: nn.Module, image_size: int) -> None:
    """Let an encoder's patch embedding, if it is one of timm's, read smaller images too."""
    embedding = getattr(encoder, "patch_embed", None)
    convolution = getattr(embedding, "proj", None)
    if embedding is None or not isinstance(convolution, nn.Conv2d) or not _is_plain(convolution):
        return
    if getattr(embedding, "img_size", None) != (image_size, image_size):
        return
    embedding.proj = EnlargingConv2d(convolution, image_size)
    # timm would refuse other sizes; the positions are still those of image_size
    embedding.img_size = None


def reads_small(encoder: nn.Module, size: int) -> bool:
    """Whether an encoder takes images of size x size as if they were enlarged."""
    convolution = getattr(getattr(encoder, "patch_embed", None), "proj", None)
    return isinstance(convolution, EnlargingConv2d) and convolution.reads(size)


def _is_plain(convolution: nn.Conv2d) -> bool:
    """Square kernels side by side, over all channels."""
    height, width = convolution.kernel_size
    return (
        height == width
        and convolution.stride == (height, height)
        and convolution.padding == (0, 0)
        and convolution.dilation == (1, 1)
        and convolution.groups == 1
    )


def _side(convolution: nn.Conv2d) -> int:
    return convolution.kernel_size[0]
