"""Photos with masks -> the network that cuts objects out: ``config``, ``pairs``, ``losses``, ``loop``, ``scores``."""
