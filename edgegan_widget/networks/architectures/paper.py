"""The networks of EdgeGAN as its authors trained them.

Gao, Liu, Xu, Wang, Liu, Zou: "SketchyCOCO: Image Generation from Freehand Scene Sketches", CVPR 2020
(arXiv 2003.02683), section 3.1 and figure 3, with the details of the TensorFlow 1.14 code (sysu-imsl/EdgeGAN).
The classifier is the masked residual network of Chen and Hays, "SketchyGAN", CVPR 2018, section 4.

=========  =================================================  ==========================================
network    from                                               to
=========  =================================================  ==========================================
G_E, G_I   z and class [N, 100 + K]                           edge map, picture [N, 3, 64, 64]
D_J        edge map beside picture [N, 3, 64, 128]            logit [N, 1]
D_E, D_I   edge map, picture [N, 3, 64, 64], enlarged to 128  logit [N, 1]
E          sketch [N, 3, 64, 64]                              mean and log deviation of z, [N, 100] each
C          picture [N, 3, 64, 64]                             class logits [N, K]
=========  =================================================  ==========================================

Layout is NCHW, pictures are in [-1, 1] (u8 / 127.5 - 1), all widths follow ``ModelConfig.width`` (64 in the paper).
Initial weights: convolutions of E and D truncated normal 0.02, all else normal 0.02, C's linear Xavier uniform.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.distributed import batch_statistics, world

__all__ = ["Classifier", "Discriminator", "Encoder", "Generator", "PaperCritics", "PaperEdgeGAN", "class_condition"]

INIT_DEVIATION = 0.02
LEAK = 0.2
BATCH_NORM_EPSILON = 1.001e-5  # TensorFlow 1.14's fused batch norm raises 1e-5 to this
INSTANCE_NORM_EPSILON = 1e-5
CUBIC_TAPS = (-0.09375, 0.59375, 0.59375, -0.09375)  # cubic convolution with a = -0.75, half way between two pixels


def class_condition(labels: Tensor, config: ModelConfig) -> Tensor:
    """Labels int64 [N] -> one-hot float [N, K]; [N, 0] for a model of one class, which takes no condition."""
    return F.one_hot(labels, len(config.classes)).float()[:, len(config.classes) - config.condition_size :]


def instance_norm(x: Tensor) -> Tensor:
    """(x - mean) / (deviation + epsilon) over space, biased deviation.

    TensorFlow's ``tf.nn.moments`` stops the gradient of the mean inside the variance. The first derivative does not
    notice; the gradient penalty's second one does.
    """
    if x.dtype == torch.bfloat16:  # eight bits are too few for a variance
        return instance_norm(x.float()).to(x.dtype)
    mean = x.mean(dim=(2, 3), keepdim=True)
    variance = (x - mean.detach()).square().mean(dim=(2, 3), keepdim=True)
    return (x - mean) / (variance.sqrt() + INSTANCE_NORM_EPSILON)


def _batch_norm(x: Tensor, scale: Tensor, shift: Tensor, shared: bool) -> Tensor:
    """Batch norm by the statistics of the batch at hand; a ``shared`` one is spread over all processes."""
    if not shared or world()[1] == 1:
        return F.batch_norm(x, None, None, scale, shift, training=True, eps=BATCH_NORM_EPSILON)
    mean, variance = batch_statistics(x.float())
    scale = scale / (variance + BATCH_NORM_EPSILON).sqrt()
    return (x - mean[:, None, None]) * scale[:, None, None] + shift[:, None, None]


def resize_bicubic_double(x: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, C, 2 H, 2 W] as TensorFlow 1's ``resize_bicubic`` does with both corner options false.

    Even outputs copy the input, odd ones lie half way to the next pixel; borders are clamped.
    """
    for axis in (2, 3):
        length = x.shape[axis]
        at = torch.arange(length, device=x.device)
        odd = torch.zeros_like(x)
        for offset, tap in zip((-1, 0, 1, 2), CUBIC_TAPS):
            odd = odd + tap * x.index_select(axis, (at + offset).clamp(0, length - 1))
        x = torch.stack([x, odd], dim=axis + 1).flatten(axis, axis + 1)
    return x


class Generator(nn.Module):
    """G_E or G_I: linear to 4x4, batch norm, then four transposed 5x5 convolutions, each doubling the side."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        widths = [8 * config.width, 4 * config.width, 2 * config.width, config.width, 3]
        self.start = nn.Linear(config.latent_size + config.condition_size, widths[0] * 16)
        self.norm_scale = nn.Parameter(torch.ones(widths[0]))
        self.norm_shift = nn.Parameter(torch.zeros(widths[0]))
        self.each_alone = False  # True: each row as in a batch of its own
        self.deconvs = nn.ModuleList(
            nn.ConvTranspose2d(wide, narrow, 5, stride=2, padding=1) for wide, narrow in itertools.pairwise(widths)
        )
        for layer in (self.start, *self.deconvs):
            _init(layer)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        x = self.start(torch.cat([latent, condition], dim=1))
        x = x.view(x.shape[0], -1, 4, 4)  # [N, 512, 4, 4]
        # Statistics of the batch at hand, also when drawing one picture (then over its 16 positions).
        if self.each_alone:
            x = F.instance_norm(x, None, None, self.norm_scale, self.norm_shift, eps=BATCH_NORM_EPSILON)
        else:
            x = _batch_norm(x, self.norm_scale, self.norm_shift, shared=self.training)
        x = F.relu(x)
        for deconv in self.deconvs[:-1]:  # [N, 256, 8, 8], [N, 128, 16, 16], [N, 64, 32, 32]
            x = F.relu(instance_norm(_crop(deconv(x))))
        return torch.tanh(_crop(self.deconvs[-1](x)))  # [N, 3, 64, 64]


class Discriminator(nn.Module):
    """D_J, D_E or D_I: four 4x4 convolutions of stride 2, then a linear logit; ``sides`` is the input's (H, W)."""

    def __init__(self, config: ModelConfig, sides: tuple[int, int]) -> None:
        super().__init__()
        widths = [3, config.width, 2 * config.width, 4 * config.width, 8 * config.width]
        self.convs = nn.ModuleList(
            nn.Conv2d(narrow, wide, 4, stride=2, padding=1, bias=False) for narrow, wide in itertools.pairwise(widths)
        )
        self.to_logit = nn.Linear(widths[-1] * (sides[0] // 16) * (sides[1] // 16), 1)
        for conv in self.convs:
            _init(conv, truncated=True)
        _init(self.to_logit)

    def forward(self, picture: Tensor) -> Tensor:
        x = F.leaky_relu(self.convs[0](picture), LEAK)
        for conv in self.convs[1:]:
            x = F.leaky_relu(instance_norm(conv(x)), LEAK)
        logit: Tensor = self.to_logit(x.flatten(1))
        return logit  # from [N, 512, 8, 8] for a side of 128


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions with reflected borders and instance norm, beside a 1x1 shortcut."""

    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(narrow, wide, 3, padding=1, padding_mode="reflect")
        self.second = nn.Conv2d(wide, wide, 3, padding=1, padding_mode="reflect")
        self.shortcut = nn.Conv2d(narrow, wide, 1)

    def forward(self, x: Tensor) -> Tensor:
        inner = instance_norm(self.second(F.relu(instance_norm(self.first(x)))))
        return F.relu(self.shortcut(x) + inner)


class Encoder(nn.Module):
    """E: a convolution and four residual blocks, each halving the side, then mean and log deviation of z."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.width
        widths = [width, 2 * width, 4 * width, 8 * width, 8 * width]
        self.from_sketch = nn.Conv2d(3, width, 4, stride=2, padding=1)
        self.blocks = nn.ModuleList(_ResidualBlock(narrow, wide) for narrow, wide in itertools.pairwise(widths))
        self.to_mean = nn.Linear(widths[-1], config.latent_size)
        self.to_log_sigma = nn.Linear(widths[-1], config.latent_size)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                _init(module, truncated=True)
        _init(self.to_mean)
        _init(self.to_log_sigma)

    def forward(self, sketch: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu(self.from_sketch(sketch))  # [N, 64, 32, 32]
        for block in self.blocks:
            x = F.avg_pool2d(block(x), 2)  # down to [N, 512, 2, 2]
        x = F.relu(x).mean(dim=(2, 3))
        return self.to_mean(x), self.to_log_sigma(x)


class _SpectralConv(nn.Module):
    """Convolution (or, on [N, C], linear layer) whose weight is divided by its largest singular value.

    The value comes from one power iteration from a stored vector u that training never moves (Miyato et al., ICLR
    2018, algorithm 1, as the original's code has it: its update of u is collected but never run).
    """

    u: Tensor

    def __init__(self, narrow: int, wide: int, kernel: int, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(wide, narrow, kernel, kernel))
        self.bias = nn.Parameter(torch.full((wide,), bias))
        self.register_buffer("u", _truncated_normal(torch.empty(wide), std=1.0))
        nn.init.normal_(self.weight, std=INIT_DEVIATION)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight / self.sigma()
        if x.dim() == 2:
            return F.linear(x, weight[:, :, 0, 0], self.bias)
        return F.conv2d(x, weight, self.bias, padding=weight.shape[-1] // 2)

    def sigma(self) -> Tensor:
        """Estimate of the largest singular value of the weight as a matrix [wide, narrow * kernel * kernel]."""
        matrix = self.weight.flatten(1)
        v = F.normalize(self.u @ matrix, dim=0)
        u = F.normalize(matrix @ v, dim=0)
        return u @ matrix @ v


class _PReLU(nn.Module):
    """max(x, a x) with one learned a; unlike ``nn.PReLU`` also right for a above 1."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(LEAK))

    def forward(self, x: Tensor) -> Tensor:
        leaked = self.slope * x
        return torch.where(x >= leaked, x, leaked)


class _MaskedResidualUnit(nn.Module):
    """SketchyGAN's MRU: a gate decides per place and channel how much of the picture enters the hidden state."""

    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()
        self.act_in, self.act_merged, self.act_middle = _PReLU(), _PReLU(), _PReLU()
        self.gate = _SpectralConv(narrow + 3, narrow, 3, bias=0.5)
        self.from_picture = _SpectralConv(3, narrow, 3)
        self.first = _SpectralConv(narrow, wide, 3)
        self.second = _SpectralConv(wide, wide, 3)
        self.shortcut = _SpectralConv(narrow, wide, 1)

    def forward(self, hidden: Tensor, picture: Tensor) -> Tensor:
        gate = F.leaky_relu(self.gate(torch.cat([self.act_in(hidden), picture], dim=1)), LEAK)
        low, high = gate.amin(dim=(2, 3), keepdim=True), gate.amax(dim=(2, 3), keepdim=True)
        merged = hidden + (gate - low) / (high - low) * self.from_picture(picture)
        inner = self.second(self.act_middle(self.first(self.act_merged(merged))))
        return F.avg_pool2d(self.shortcut(hidden) + inner, 2)


class Classifier(nn.Module):
    """C: four masked residual units, each fed with the picture reduced to its own side."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        widths = [config.width // 8, 2 * config.width, 4 * config.width, 8 * config.width, 12 * config.width]
        self.from_picture = _SpectralConv(3, widths[0], 7)
        self.act_in, self.act_out = _PReLU(), _PReLU()
        self.units = nn.ModuleList(_MaskedResidualUnit(narrow, wide) for narrow, wide in itertools.pairwise(widths))
        self.to_logits = _SpectralConv(widths[-1], len(config.classes), 1)
        nn.init.xavier_uniform_(self.to_logits.weight)

    def forward(self, picture: Tensor) -> Tensor:
        hidden = self.act_in(self.from_picture(picture))  # [N, 8, 64, 64]
        for unit in self.units:
            hidden = unit(hidden, picture)  # down to [N, 768, 4, 4]
            picture = F.avg_pool2d(picture, 2)
        logits: Tensor = self.to_logits(self.act_out(hidden).mean(dim=(2, 3)))
        return logits


class PaperEdgeGAN(nn.Module):
    """What drawing needs: E, G_E and G_I."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.noise_size = config.noise_size
        self.encoder = Encoder(config)
        self.generator_edge = Generator(config)
        self.generator_image = Generator(config)

    def encode(self, sketch: Tensor, condition: Tensor, noise: Tensor) -> Tensor:  # noqa: ARG002
        """Sketch [N, 3, 64, 64] -> z [N, 100] = mean + noise * exp(log deviation); noise [N, 1] or a scalar.

        ``condition`` is not used: the paper's encoder does not know the class.
        """
        mean, log_sigma = self.encoder(sketch)
        latent: Tensor = mean + noise * log_sigma.exp()
        return latent

    def edges(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Z -> edge map [N, 3, 64, 64] in [-1, 1]."""
        edges: Tensor = self.generator_edge(latent, condition)
        return edges

    def decode(self, latent: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Z -> edge map and picture, [N, 3, 64, 64] each, in [-1, 1]."""
        return self.edges(latent, condition), self.generator_image(latent, condition)

    def draw_each_alone(self) -> None:
        """From now on a picture of a batch is the one that a batch of one gives: for drawing many at once."""
        self.generator_edge.each_alone = self.generator_image.each_alone = True


class PaperCritics(nn.Module):
    """What only training needs: D_J, D_E, D_I, and C where there is more than one class."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.joint = Discriminator(config, (64, 128))
        self.edge = Discriminator(config, (128, 128))
        self.image = Discriminator(config, (128, 128))
        self.classifier = Classifier(config) if config.condition_size else None


def _crop(x: Tensor) -> Tensor:
    """TensorFlow's "SAME" transposed convolution is torch's with padding 1, less the last row and column."""
    return x[:, :, :-1, :-1]


def _truncated_normal(weight: Tensor, std: float = INIT_DEVIATION) -> Tensor:
    """Normal, redrawn outside two deviations, as TensorFlow has it."""
    return nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)


def _init(layer: nn.Module, truncated: bool = False) -> None:
    for name, parameter in layer.named_parameters():
        if name == "bias":
            nn.init.zeros_(parameter)
        elif truncated:
            _truncated_normal(parameter)
        else:
            nn.init.normal_(parameter, std=INIT_DEVIATION)
