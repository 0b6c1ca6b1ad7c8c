"""`python -m hostwright.cli`: the same as `hostwright`, whatever PATH holds."""

import sys

from hostwright.cli.main import main

sys.exit(main())
