"""``python -m edgegan_widget`` is ``edgegan-widget``."""

import sys

from edgegan_widget.app.cli import main

sys.exit(main())
