"""What a person may ask of a transfer, and whose word it waits for: approvals, exceptions, passwords, originals, work of vendors."""
