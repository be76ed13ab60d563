"""`python -m rednet_lab.runner`."""

import sys

from rednet_lab.runner.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
