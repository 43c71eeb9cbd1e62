"""`python -m cli`: the same as `modelhub`."""

import sys

from cli.app import main

sys.exit(main())
