"""Methods that RED-Net is compared with (journal Table 9), trained on the same faces and judged by the same code."""
