"""The pickup: staff collect delivered files on the inner side."""
