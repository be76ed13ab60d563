"""What the checkout shows to others: `python -m rednet_lab.publish` (notebook 90 alone imports it)."""
