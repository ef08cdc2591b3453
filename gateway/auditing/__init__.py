"""What is done with the audit record: anchored elsewhere, verified, inspected, searched under a number, given up after its time."""
