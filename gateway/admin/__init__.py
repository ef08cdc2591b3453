"""The administration: operators and auditors see what crosses and why something was held."""
