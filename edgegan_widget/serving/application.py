"""The Ray Serve application: connections in front, engines behind.

``edgegan-widget serve`` runs it; on Kubernetes a RayService names ``edgegan_widget.serving.application:build``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.serve import Application

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.serving.ingress import Ingress
from edgegan_widget.serving.replica import Replica
from edgegan_widget.serving.settings import ENGINES, Serving, digest_of, named_models

__all__ = ["application", "build"]

_HEALTH = {"health_check_period_s": 1.0, "health_check_timeout_s": 30.0}  # an engine that ended is replaced soon
_LEAVE = {"graceful_shutdown_wait_loop_s": 0.2, "graceful_shutdown_timeout_s": 30.0}
_CALLS_AT_ONCE = 4  # of an engine: two batches, a morph, a guess
_LEAST = 2  # engines, where there may be as many: one draws while another that ended is replaced, for some ten seconds
_ARGUMENTS = ("models", "token", "replicas", "most_replicas", "device", "runner", "rate_per_second", "ingresses")


def application(settings: Serving) -> Application:
    """The application, ready for ``serve.run``."""
    text, on_gpu = settings.to_json(), settings.device == "cuda"
    options: dict[str, Any] = {
        "name": ENGINES,
        "max_ongoing_requests": _CALLS_AT_ONCE,
        "ray_actor_options": {"num_cpus": 1, "num_gpus": int(on_gpu)},
        **_HEALTH,
        **_LEAVE,
    }
    if settings.replicas:
        options["num_replicas"] = settings.replicas
    else:
        options["autoscaling_config"] = {
            "min_replicas": min(_LEAST, settings.most_replicas), "max_replicas": settings.most_replicas,
            "target_ongoing_requests": 1.2,
            "upscale_delay_s": 2.0, "downscale_delay_s": 120.0, "look_back_period_s": 5.0, "metrics_interval_s": 1.0,
        }  # fmt: skip
    engines = serve.deployment(Replica).options(**options).bind(text)
    door = serve.deployment(Ingress).options(
        name="Door",
        max_ongoing_requests=settings.connections + 64,
        ray_actor_options={"num_cpus": 0},
        num_replicas=settings.ingresses,
        **_HEALTH,
        **_LEAVE,
    )
    built: Application = door.bind(engines, text)
    return built


def build(arguments: Mapping[str, Any]) -> Application:
    """The application of a Serve config's ``args``.

    Parameters
    ----------
    arguments
        ``models``: a list as behind ``--model``; ``token``; ``replicas``: a number or ``auto``; ``most_replicas``;
        ``device``; ``runner``; ``rate_per_second``; ``ingresses``.

    Raises
    ------
    ConfigError
        An argument is not known, or out of its range.
    ModelError
        There is no such model on the machine that builds it.
    """
    unknown = [name for name in arguments if name not in _ARGUMENTS]
    if unknown:
        raise ConfigError(f"the arguments {', '.join(unknown)} are not known; there are {', '.join(_ARGUMENTS)}.")
    given = dict(arguments)
    token, replicas = str(given.pop("token", "")), given.pop("replicas", "auto")
    given["models"] = named_models([str(name) for name in given.get("models", ["default"])])
    given.setdefault("most_replicas", 64)
    count = 0 if replicas == "auto" else int(replicas)
    return application(Serving(token_digest=digest_of(token) if token else "", replicas=count, **given))
