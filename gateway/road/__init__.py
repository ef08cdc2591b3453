"""The road itself: a transfer is taken in, claimed, made clean in the jail, settled, and put where it is bound for."""
