"""`python -m tests.bench`."""

import sys

from .framework.run import main

sys.exit(main())
