"""python -m zbuf: hands over to the commands."""

import sys

from zbuf.cli import main

if __name__ == "__main__":
    sys.exit(main())
