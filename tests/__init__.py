"""Tests; a package, so that running pytest from anywhere finds the checkout and `tests.helpers`."""
