"""`python -m rednet_lab.publish.site`."""

import sys

from rednet_lab.publish.site.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
